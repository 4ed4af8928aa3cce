"""Sends what a file of lines says with the OpenTelemetry SDK: client.py FILE NAME=PROTOCOL,COMPRESSION,URL..."""

import sys

from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context
from opentelemetry.context import Context
from grpc import Compression as GrpcCompression


def read_value(lines):
    kind, _, rest = next(lines).partition(" ")
    if kind == "null":
        return None
    if kind == "string":
        return bytes.fromhex(rest).decode("utf-16-be", "surrogatepass")
    if kind == "bool":
        return rest == "true"
    if kind == "int":
        return int(rest)
    if kind == "double":
        return float(rest)
    if kind == "bytes":
        return bytes.fromhex(rest)
    if kind == "array":
        return [read_value(lines) for _ in range(int(rest))]
    if kind == "map":
        return {read_value(lines): read_value(lines) for _ in range(int(rest))}
    raise ValueError(kind)


def exporter_of(protocol, compression, url):
    if protocol == "grpc":
        kind = GrpcCompression.Gzip if compression == "gzip" else GrpcCompression.NoCompression
        return GrpcExporter(endpoint=url, insecure=True, compression=kind)
    return HttpExporter(endpoint=url, compression=Compression(compression))


def context_of(trace_id, span_id, flags):
    if trace_id == "-":
        return Context()
    context = SpanContext(int(trace_id, 16), int(span_id, 16), False, TraceFlags(int(flags)))
    return set_span_in_context(NonRecordingSpan(context), Context())


def send(file, name, exporter):
    lines = iter(open(file, encoding="ascii").read().splitlines())
    resource = Resource({**read_value(lines), "client": name})
    provider = LoggerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    scope, version, schema_url = (read_value(lines) for _ in range(3))
    logger = provider.get_logger(scope, version, schema_url, read_value(lines))
    for line in lines:
        _, severity, time, observed, trace_id, span_id, flags = line.split(" ")
        severity_text, event_name = read_value(lines), read_value(lines)
        logger.emit(
            timestamp=int(time),
            observed_timestamp=int(observed),
            context=context_of(trace_id, span_id, flags),
            severity_number=SeverityNumber(int(severity)),
            severity_text=severity_text,
            event_name=event_name,
            body=read_value(lines),
            attributes=read_value(lines),
        )
    provider.shutdown()


for argument in sys.argv[2:]:
    name, _, settings = argument.partition("=")
    send(sys.argv[1], name, exporter_of(*settings.split(",")))
