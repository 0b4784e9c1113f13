// A Trino of one process with the Iceberg connector: java -cp … TrinoServer.java PORT PROPERTY=VALUE …
// Prints READY and its address when it takes queries; ends when its standard input ends, so that it never outlives its parent.
// Source: io.trino.testing.DistributedQueryRunner, whose builder counts nodes in older versions and workers in newer ones.
import static io.trino.testing.TestingSession.testSessionBuilder;

import io.trino.plugin.iceberg.IcebergPlugin;
import io.trino.testing.DistributedQueryRunner;
import java.util.HashMap;
import java.util.Map;

public final class TrinoServer {
  public static void main(String[] args) throws Exception {
    Map<String, String> catalog = new HashMap<>();
    for (int i = 1; i < args.length; i++) {
      String[] pair = args[i].split("=", 2);
      catalog.put(pair[0], pair[1]);
    }
    var session = testSessionBuilder().setCatalog("iceberg").setSchema("default").build();
    var builder = DistributedQueryRunner.builder(session);
    // What is known of past queries would fill a small heap: every one holds the schema of its tables.
    builder.setCoordinatorProperties(
        Map.of("http-server.http.port", args[0], "query.max-history", "1"));
    alone(builder);
    try (var runner = builder.build()) {
      runner.installPlugin(new IcebergPlugin());
      runner.createCatalog("iceberg", "iceberg", catalog);
      System.out.println("READY " + runner.getCoordinator().getBaseUrl());
      while (System.in.read() >= 0) {}
    }
  }

  private static void alone(DistributedQueryRunner.Builder<?> builder) throws Exception {
    for (var method : builder.getClass().getMethods()) {
      if (method.getName().equals("setWorkerCount")) {
        method.invoke(builder, 0);
        return;
      }
    }
    builder.getClass().getMethod("setNodeCount", int.class).invoke(builder, 1);
  }
}
