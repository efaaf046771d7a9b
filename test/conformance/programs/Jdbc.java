import java.io.StringReader;
import java.io.StringWriter;
import java.sql.*;
import java.util.Arrays;
import java.util.Properties;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;

/** What a program sees through PostgreSQL's JDBC driver: batches, generated keys, fetch sizes, large objects, metadata. */
public class Jdbc {
  static void say(String what, Object value) {
    System.out.println(what + ": " + value);
  }

  interface Work {
    void run() throws Exception;
  }

  static String errorOf(Work work) throws Exception {
    try {
      work.run();
    } catch (BatchUpdateException error) {
      return error.getSQLState() + " " + Arrays.toString(error.getUpdateCounts());
    } catch (SQLException error) {
      return error.getSQLState() + " " + error.getMessage();
    }
    return "none";
  }

  public static void main(String[] arguments) throws Exception {
    for (String mode : new String[] {"extended", "simple", "extendedForPrepared", "extendedCacheEverything"}) play(mode);
  }

  static void play(String mode) throws Exception {
    say("mode", mode);
    Properties properties = new Properties();
    properties.setProperty("user", System.getenv("PGUSER"));
    properties.setProperty("password", System.getenv("PGPASSWORD"));
    if (System.getenv("PGSSLROOTCERT") != null) {
      properties.setProperty("sslmode", System.getenv("PGSSLMODE"));
      properties.setProperty("sslrootcert", System.getenv("PGSSLROOTCERT"));
    }
    properties.setProperty("preferQueryMode", mode);
    properties.setProperty("prepareThreshold", "2");
    String url = "jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/" + System.getenv("PGDATABASE");
    try (Connection connection = DriverManager.getConnection(url, properties);
        Statement statement = connection.createStatement()) {
      statement.execute("DROP TABLE IF EXISTS j; CREATE TABLE j (id serial PRIMARY KEY, b text, c bytea)");
      try (PreparedStatement insert = connection.prepareStatement("INSERT INTO j (b, c) VALUES (?, CAST(? AS bytea))", Statement.RETURN_GENERATED_KEYS)) {
        for (int n = 0; n < 300; n++) {
          insert.setString(1, "row " + n);
          insert.setString(2, "\\x" + "00".repeat(n)); // the simple mode knows no binary values
          insert.addBatch();
        }
        say("batch", Arrays.stream(insert.executeBatch()).sum());
        ResultSet keys = insert.getGeneratedKeys();
        int sum = 0;
        while (keys.next()) sum += keys.getInt(1);
        say("keys", sum);
      }
      try (PreparedStatement again = connection.prepareStatement("SELECT b, length(c) FROM j WHERE id = ?")) {
        for (int n = 1; n <= 6; n++) {
          again.setInt(1, n);
          ResultSet row = again.executeQuery();
          row.next();
          say("named", row.getString(1) + " " + row.getInt(2));
        }
      }
      connection.setAutoCommit(false);
      statement.setFetchSize(7);
      ResultSet rows = statement.executeQuery("SELECT id FROM j ORDER BY id");
      int sum = 0;
      while (rows.next()) sum += rows.getInt(1);
      say("fetch size", sum);
      connection.commit();
      Savepoint savepoint = connection.setSavepoint("s");
      say("error", errorOf(() -> statement.executeUpdate("INSERT INTO j (id) VALUES (1)")));
      say("failed block", errorOf(() -> statement.executeQuery("SELECT 1")));
      connection.rollback(savepoint);
      say("healed", statement.executeUpdate("UPDATE j SET b = 'u' WHERE id < 4"));
      connection.rollback();
      say("broken batch", errorOf(() -> {
        statement.addBatch("INSERT INTO j (b) VALUES ('fine')");
        statement.addBatch("INSERT INTO j (id) VALUES (1)");
        statement.addBatch("INSERT INTO j (b) VALUES ('never')");
        statement.executeBatch();
      }));
      statement.clearBatch();
      connection.rollback();

      PGConnection postgres = connection.unwrap(PGConnection.class);
      if (!mode.equals("simple")) {
        long oid = postgres.getLargeObjectAPI().createLO();
        var large = postgres.getLargeObjectAPI().open(oid);
        large.write(new byte[200_000]);
        large.seek(100_000);
        say("large object", large.tell() + " " + large.size() + " " + large.read(10).length);
        large.close();
        postgres.getLargeObjectAPI().delete(oid);
      }
      connection.commit();
      connection.setAutoCommit(true);
      say("copy in", postgres.getCopyAPI().copyIn("COPY j (b) FROM STDIN", new StringReader("copied\n".repeat(20_000))));
      StringWriter out = new StringWriter();
      say("copy out", postgres.getCopyAPI().copyOut("COPY (SELECT b FROM j ORDER BY id LIMIT 2) TO STDOUT", out) + " " + out.toString().trim());
      say("bad copy", errorOf(() -> postgres.getCopyAPI().copyIn("COPY j (id) FROM STDIN", new StringReader("x\n"))));

      statement.execute("LISTEN news");
      statement.execute("NOTIFY news, 'hello'");
      PGNotification[] heard = postgres.getNotifications(5000);
      say("notification", heard[0].getName() + " " + heard[0].getParameter());
      statement.setQueryTimeout(1);
      say("timeout", errorOf(() -> statement.execute("SELECT pg_sleep(60)")));
      statement.setQueryTimeout(0);
      statement.execute("DO $$ BEGIN RAISE WARNING 'careful'; END $$");
      say("warning", statement.getWarnings() == null ? "none" : statement.getWarnings().getMessage());
      DatabaseMetaData metadata = connection.getMetaData();
      ResultSet columns = metadata.getColumns(null, "public", "j", null);
      while (columns.next()) say("column", columns.getString("COLUMN_NAME") + " " + columns.getString("TYPE_NAME"));
      ResultSet primary = metadata.getPrimaryKeys(null, "public", "j");
      while (primary.next()) say("key", primary.getString("COLUMN_NAME"));
      if (!mode.equals("simple")) callUpper(connection);
      try (PreparedStatement big = connection.prepareStatement("SELECT length(?)")) {
        big.setString(1, "x".repeat(4_500_000));
        ResultSet row = big.executeQuery();
        row.next();
        say("big", row.getInt(1));
      }
    }
  }

  static void callUpper(Connection connection) throws SQLException {
    try (CallableStatement call = connection.prepareCall("{ ? = call upper(?) }")) {
      call.registerOutParameter(1, Types.VARCHAR);
      call.setString(2, "called");
      call.execute();
      say("call", call.getString(1));
    }
  }
}
