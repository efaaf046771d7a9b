import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.sql.*;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.postgresql.PGConnection;

/** What PostgreSQL's JDBC driver sees of masked columns: each mode, text and binary, fetch sizes, COPY in all formats. */
public class Masks {
  public static void main(String[] arguments) throws Exception {
    URI url = new URI(System.getenv("DATABASE_URL"));
    String[] login = url.getUserInfo().split(":", 2);
    for (String mode : new String[] {"simple", "extended", "extendedForPrepared", "extendedCacheEverything"}) {
      for (String binary : new String[] {"false", "true"}) {
        Properties properties = new Properties();
        properties.setProperty("user", login[0]);
        properties.setProperty("password", java.net.URLDecoder.decode(login[1], StandardCharsets.UTF_8));
        properties.setProperty("preferQueryMode", mode);
        properties.setProperty("binaryTransfer", binary);
        // binary from the first time on
        properties.setProperty("prepareThreshold", binary.equals("true") ? "-1" : "1");
        String address = "jdbc:postgresql://" + url.getHost() + ":" + url.getPort() + url.getPath();
        try (Connection connection = DriverManager.getConnection(address, properties)) {
          System.out.println(mode + " " + binary);
          play(connection);
        }
      }
    }
  }

  static void play(Connection connection) throws Exception {
    connection.setAutoCommit(false);
    for (String sql : queries()) {
      for (int time = 0; time < 2; time++) {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
          statement.setFetchSize(time);
          try (ResultSet rows = statement.executeQuery()) {
            while (rows.next()) System.out.println(row(rows));
          }
        }
      }
    }
    String copied = System.getenv("COPIED");
    for (String format : new String[] {"text", "csv, FORCE_QUOTE *", "binary"}) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      String sql = "COPY (" + copied + ") TO STDOUT (FORMAT " + format + ")";
      connection.unwrap(PGConnection.class).getCopyAPI().copyOut(sql, out);
      byte[] bytes = out.toByteArray();
      String text = format.equals("binary") ? HexFormat.of().formatHex(bytes) : new String(bytes, StandardCharsets.UTF_8);
      System.out.println(format + ": " + text);
    }
    connection.commit();
  }

  static List<String> row(ResultSet rows) throws SQLException {
    List<String> cells = new ArrayList<>();
    ResultSetMetaData meta = rows.getMetaData();
    for (int at = 1; at <= meta.getColumnCount(); at++) {
      Object cell = rows.getObject(at);
      if (cell instanceof java.sql.Array array) cell = Arrays.toString((Object[]) array.getArray());
      if (cell instanceof byte[] bytes) cell = HexFormat.of().formatHex(bytes);
      cells.add(meta.getColumnTypeName(at) + " " + cell);
    }
    return cells;
  }

  static List<String> queries() {
    Matcher matcher = Pattern.compile("\"((?:[^\"\\\\]|\\\\.)*)\"").matcher(System.getenv("QUERIES"));
    List<String> found = new ArrayList<>();
    while (matcher.find()) found.add(matcher.group(1).replace("\\\"", "\""));
    return found;
  }
}
