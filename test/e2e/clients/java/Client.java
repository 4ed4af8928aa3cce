import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.common.KeyValue;
import io.opentelemetry.api.common.Value;
import io.opentelemetry.api.logs.LogRecordBuilder;
import io.opentelemetry.api.logs.Logger;
import io.opentelemetry.api.logs.Severity;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.context.Context;
import io.opentelemetry.exporter.otlp.http.logs.OtlpHttpLogRecordExporter;
import io.opentelemetry.exporter.otlp.logs.OtlpGrpcLogRecordExporter;
import io.opentelemetry.sdk.logs.SdkLoggerProvider;
import io.opentelemetry.sdk.logs.export.BatchLogRecordProcessor;
import io.opentelemetry.sdk.logs.export.LogRecordExporter;
import io.opentelemetry.sdk.resources.Resource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Sends what a file of lines says with the OpenTelemetry SDK: Client FILE NAME=PROTOCOL,COMPRESSION,URL... */
class Client {
  private final Iterator<String> lines;

  Client(Path file) throws Exception {
    lines = Files.readAllLines(file).iterator();
  }

  public static void main(String[] args) throws Exception {
    for (int i = 1; i < args.length; i++) {
      String[] named = args[i].split("=", 2);
      String[] settings = named[1].split(",", 3);
      new Client(Path.of(args[0])).send(named[0], exporterOf(settings[0], settings[1], settings[2]));
    }
    // Threads of the HTTP client would keep the process for a while.
    System.exit(0);
  }

  private static LogRecordExporter exporterOf(String protocol, String compression, String url) {
    return protocol.equals("grpc")
        ? OtlpGrpcLogRecordExporter.builder().setEndpoint(url).setCompression(compression).build()
        : OtlpHttpLogRecordExporter.builder().setEndpoint(url).setCompression(compression).build();
  }

  private void send(String name, LogRecordExporter exporter) {
    Attributes resource = readAttributes().toBuilder().put("client", name).build();
    String scope = readText();
    String version = readText();
    String schemaUrl = readText();
    // The API has no attributes of scopes for loggers.
    readAttributes();
    try (SdkLoggerProvider provider =
        SdkLoggerProvider.builder()
            .setResource(Resource.create(resource))
            .addLogRecordProcessor(BatchLogRecordProcessor.builder(exporter).build())
            .build()) {
      Logger logger =
          provider.loggerBuilder(scope).setInstrumentationVersion(version).setSchemaUrl(schemaUrl).build();
      while (lines.hasNext()) emit(logger.logRecordBuilder(), lines.next().split(" "));
    }
  }

  private void emit(LogRecordBuilder record, String[] words) {
    Severity severity = Severity.values()[Integer.parseInt(words[1])];
    record.setTimestamp(Long.parseLong(words[2]), TimeUnit.NANOSECONDS);
    record.setObservedTimestamp(Long.parseLong(words[3]), TimeUnit.NANOSECONDS);
    record.setContext(contextOf(words[4], words[5], words[6])).setSeverity(severity).setSeverityText(readText());
    String eventName = readText();
    if (!eventName.isEmpty()) record.setEventName(eventName);
    Value<?> body = readValue();
    record.setBody(body);
    record.setAllAttributes(readAttributes()).emit();
  }

  private static Context contextOf(String traceId, String spanId, String flags) {
    if (traceId.equals("-")) return Context.root();
    TraceFlags traceFlags = TraceFlags.fromByte(Byte.parseByte(flags));
    return Context.root().with(Span.wrap(SpanContext.create(traceId, spanId, traceFlags, TraceState.getDefault())));
  }

  private Attributes readAttributes() {
    AttributesBuilder attributes = Attributes.builder();
    int members = Integer.parseInt(lines.next().split(" ")[1]);
    for (int i = 0; i < members; i++) attributes.put(AttributeKey.valueKey(readText()), readValue());
    return attributes.build();
  }

  private String readText() {
    return (String) readValue().getValue();
  }

  private Value<?> readValue() {
    String[] words = lines.next().split(" ", 2);
    String rest = words.length > 1 ? words[1] : "";
    switch (words[0]) {
      case "null":
        return Value.empty();
      case "string":
        return Value.of(textOf(rest));
      case "bool":
        return Value.of(Boolean.parseBoolean(rest));
      case "int":
        return Value.of(Long.parseLong(rest));
      case "double":
        return Value.of(Double.parseDouble(rest));
      case "bytes":
        return Value.of(HexFormat.of().parseHex(rest));
      case "array":
        List<Value<?>> values = new ArrayList<>();
        for (int left = Integer.parseInt(rest); left > 0; left--) values.add(readValue());
        return Value.of(values);
      case "map":
        KeyValue[] members = new KeyValue[Integer.parseInt(rest)];
        for (int i = 0; i < members.length; i++) members[i] = KeyValue.of(readText(), readValue());
        return Value.of(members);
      default:
        throw new IllegalArgumentException(words[0]);
    }
  }

  /** Character by character: decoders replace half a character. */
  private static String textOf(String hex) {
    StringBuilder text = new StringBuilder();
    for (int at = 0; at < hex.length(); at += 4) text.append((char) Integer.parseInt(hex, at, at + 4, 16));
    return text.toString();
  }
}
