export { readCapture } from './capture-reader.ts';
export { luaDissector } from './dissector.ts';
export { CSV_HEAD, csvCell, csvLine, type ExportRow, jsonLine, RowMaker } from './export-rows.ts';
export { type FrameReading, FrameSplitter, frameReading } from './frames.ts';
export { type Imported, importCapture } from './import-capture.ts';
export { importHex, importRaw, importTimedLines, isHexLine } from './import-text.ts';
export { LINKTYPE_USER0, PcapngExport } from './pcapng.ts';
export { tcpSegment } from './tcp-segment.ts';
