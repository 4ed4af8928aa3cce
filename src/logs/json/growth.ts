/**
 * Bytes of OTLP/JSON that a byte of protobuf makes at the most: two bytes of an attribute without key and value are
 * `{"key":""},`, and a list in a list of four bytes `{"arrayValue":{"values":[]}},`.
 */
export const OTLP_JSON_GROWTH = 12
