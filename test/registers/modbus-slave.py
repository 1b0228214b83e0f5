"""A Modbus slave in plain Python, which shares no code with Heartwire.

usage: modbus-slave.py rtu|tcp|ascii  (prints its port; one connection after the other)
Lines on standard input change it: "input 5 0x1234", "holding 16 215", "coil 3 1", "discrete 1 1",
"behave normal|foreign|short|long|exception CODE|silent".
It prints every write as a line: "wrote holding 16 [220]".
"""
import socket
import struct
import sys
import threading

registers = {'input': {}, 'holding': {}, 'coil': {}, 'discrete': {}}
behaviour = ['normal']


def crc16(data):
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return struct.pack('<H', crc)


def bits(table, start, count):
    out = bytearray((count + 7) // 8)
    for i in range(count):
        if registers[table].get(start + i, 0):
            out[i // 8] |= 1 << (i % 8)
    return bytes(out)


def words(table, start, count):
    return b''.join(struct.pack('>H', registers[table].get(start + i, 0)) for i in range(count))


def wrote(table, start, values):
    for i, value in enumerate(values):
        registers[table][start + i] = value
    print('wrote', table, start, list(values), flush=True)


def answer(pdu):
    code = pdu[0]
    mode = behaviour[0].split()
    if mode[0] == 'exception':
        return bytes([code | 0x80, int(mode[1], 0)])
    first, second = struct.unpack('>HH', pdu[1:5])
    if code in (1, 2):
        data = bits('coil' if code == 1 else 'discrete', first, second)
    elif code in (3, 4):
        data = words('holding' if code == 3 else 'input', first, second)
    elif code == 5:
        wrote('coil', first, [1 if second == 0xFF00 else 0])
        return pdu
    elif code == 6:
        wrote('holding', first, [second])
        return pdu
    elif code == 16:
        wrote('holding', first, struct.unpack('>%dH' % second, pdu[6:6 + 2 * second]))
        return pdu[:5]
    else:
        return bytes([code | 0x80, 1])
    if mode[0] == 'short':
        data = data[:-2] if len(data) > 2 else data[:-1]
    if mode[0] == 'long':
        data += b'\x00\x00'
    return bytes([code, len(data) & 0xFF]) + data


def take(connection, count):
    data = b''
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def serve_tcp(connection):
    while True:
        transaction, protocol, length, unit = struct.unpack('>HHHB', take(connection, 7))
        pdu = take(connection, length - 1)
        if behaviour[0] == 'silent':
            continue
        if behaviour[0] == 'foreign':
            unit = (unit + 1) & 0xFF
        reply = answer(pdu)
        connection.sendall(struct.pack('>HHHB', transaction, protocol, len(reply) + 1, unit) + reply)


def serve_rtu(connection):
    while True:
        head = take(connection, 7)
        rest = head[6] + 2 if head[1] == 16 else 1
        frame = head + take(connection, rest)
        if crc16(frame[:-2]) != frame[-2:]:
            print('bad crc', frame.hex(), flush=True)
            continue
        if behaviour[0] == 'silent':
            continue
        unit = frame[0]
        if behaviour[0] == 'foreign':
            unit = (unit + 1) & 0xFF
        reply = bytes([unit]) + answer(frame[1:-2])
        connection.sendall(reply + crc16(reply))


def lrc(data):
    return bytes([-sum(data) & 0xFF])


def serve_ascii(connection):
    while True:
        while take(connection, 1) != b':':
            pass
        line = b''
        while not line.endswith(b'\r\n'):
            line += take(connection, 1)
        frame = bytes.fromhex(line[:-2].decode('ascii'))
        if lrc(frame[:-1]) != frame[-1:]:
            print('bad lrc', frame.hex(), flush=True)
            continue
        if behaviour[0] == 'silent':
            continue
        unit = frame[0]
        if behaviour[0] == 'foreign':
            unit = (unit + 1) & 0xFF
        reply = bytes([unit]) + answer(frame[1:-1])
        connection.sendall(b':' + (reply + lrc(reply)).hex().upper().encode('ascii') + b'\r\n')


def control():
    for line in sys.stdin:
        table, *rest = line.split()
        if table == 'behave':
            behaviour[0] = ' '.join(rest)
        else:
            registers[table][int(rest[0], 0)] = int(rest[1], 0)
        print('ok', flush=True)


listener = socket.create_server(('127.0.0.1', 0))
print(listener.getsockname()[1], flush=True)
threading.Thread(target=control, daemon=True).start()
while True:
    peer, _ = listener.accept()
    try:
        {'tcp': serve_tcp, 'rtu': serve_rtu, 'ascii': serve_ascii}[sys.argv[1]](peer)
    except (EOFError, OSError, ValueError):
        pass
