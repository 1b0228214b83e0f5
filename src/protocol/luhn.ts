/** Whether the last digit of an IMEI is the Luhn check digit of those before it; a wrong one deserves a warning, no more. */
export function luhnValid(imei: string): boolean {
  if (!/^\d{2,}$/.test(imei)) return false;
  let sum = 0;
  for (let index = 0; index < imei.length; index++) {
    const digit = imei.charCodeAt(imei.length - 1 - index) - 0x30;
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
