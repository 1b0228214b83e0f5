export { luaDissector } from './dissector.ts';
export { CSV_HEAD, csvLine, type ExportRow, jsonLine, RowMaker } from './export-rows.ts';
export { type Imported, importCapture } from './import-capture.ts';
export { importHex, importRaw, importTimedLines, isHexLine } from './import-text.ts';
export { PcapngExport } from './pcapng.ts';
