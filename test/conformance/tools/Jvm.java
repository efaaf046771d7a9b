/** Hibernate, Flyway, Liquibase and jOOQ. Usage: java -cp 'FOLDER/java/*' Jvm.java TOOL STEP URL */
import java.net.URI;
import java.nio.file.*;
import java.sql.*;
import java.util.*;
import jakarta.persistence.*;
import static org.jooq.impl.DSL.*;

public class Jvm {
  @Entity(name = "Member") @Table(name = "members")
  public static class Member {
    @Id @GeneratedValue(strategy = GenerationType.SEQUENCE) public Long id;
    @Column(unique = true) public String email;
    @Version public int version;
    @OneToMany(mappedBy = "member", cascade = CascadeType.ALL, orphanRemoval = true) public List<Post> posts = new ArrayList<>();
    @ElementCollection public Set<String> tags = new HashSet<>();
  }

  @Entity(name = "Post") @Table(name = "posts")
  public static class Post {
    @Id @GeneratedValue(strategy = GenerationType.IDENTITY) public Long id;
    public String title;
    @ManyToOne public Member member;
  }

  static String jdbc, user, password;

  public static void main(String[] args) throws Exception {
    var uri = URI.create(args[2]);
    var who = uri.getRawUserInfo().split(":", 2);
    user = java.net.URLDecoder.decode(who[0], "UTF-8");
    password = who.length > 1 ? java.net.URLDecoder.decode(who[1], "UTF-8") : "";
    jdbc = "jdbc:postgresql://" + uri.getHost() + ":" + uri.getPort() + uri.getPath();
    // Hibernate looks for the entities there, and this file is compiled in memory
    Thread.currentThread().setContextClassLoader(Jvm.class.getClassLoader());
    java.util.logging.LogManager.getLogManager().reset();
    System.setProperty("org.jooq.no-logo", "true");
    System.setProperty("org.jooq.no-tips", "true");
    switch (args[0]) {
      case "hibernate" -> hibernate(args[1]);
      case "flyway" -> flyway(args[1]);
      case "liquibase" -> liquibase(args[1]);
      case "jooq" -> jooq(args[1]);
      default -> throw new IllegalArgumentException(args[0]);
    }
    System.exit(0);
  }

  static void hibernate(String step) {
    var configuration = new org.hibernate.cfg.Configuration()
      .addAnnotatedClass(Member.class).addAnnotatedClass(Post.class)
      .setProperty("hibernate.connection.url", jdbc).setProperty("hibernate.connection.username", user)
      .setProperty("hibernate.connection.password", password).setProperty("hibernate.jdbc.batch_size", "20")
      // what Spring Boot does at every start, and what production does
      .setProperty("hibernate.hbm2ddl.auto", step.equals("use") ? "validate" : "update");
    try (var factory = configuration.buildSessionFactory()) {
      if (!step.equals("use")) return;
      factory.inTransaction(session -> {
        for (int n = 0; n < 60; n++) {
          var member = new Member();
          member.email = "m" + n + "@example.test";
          member.tags.addAll(Set.of("a", "b"));
          var post = new Post();
          post.title = "t" + n;
          post.member = member;
          member.posts.add(post);
          session.persist(member);
        }
      });
      factory.inTransaction(session -> {
        var all = session.createQuery("select m from Member m left join fetch m.posts where m.email like 'm1%'", Member.class).list();
        for (var member : all) { member.email = "x" + member.email; member.tags.add("c"); }
        all.get(0).posts.clear();
        session.remove(all.get(1));
        session.lock(all.get(2), LockModeType.PESSIMISTIC_WRITE);
        session.createMutationQuery("update Post p set p.title = 'y' where p.id = :id").setParameter("id", all.get(3).posts.get(0).id).executeUpdate();
        session.createQuery("select m.email, count(p) from Member m join m.posts p group by m.email order by 2 desc", Object[].class).setMaxResults(5).list();
        session.createNativeQuery("select 1", Integer.class).getSingleResult();
      });
    }
  }

  static void flyway(String step) throws Exception {
    var folder = Files.createTempDirectory("flyway");
    Files.writeString(folder.resolve("V1__first.sql"), "CREATE TABLE flown (id int PRIMARY KEY, name text); CREATE INDEX ON flown (name);");
    Files.writeString(folder.resolve("V2__second.sql"), "ALTER TABLE flown ADD COLUMN at timestamptz DEFAULT now();");
    var flyway = org.flywaydb.core.Flyway.configure().dataSource(jdbc, user, password).baselineOnMigrate(true).baselineVersion("0")
      .table("flown_history").locations("filesystem:" + folder).load();
    if (step.equals("use")) { flyway.info(); flyway.validate(); } else flyway.migrate();
  }

  static void liquibase(String step) throws Exception {
    var folder = Files.createTempDirectory("liquibase");
    Files.writeString(folder.resolve("changes.sql"), "--liquibase formatted sql\n--changeset a:1\nCREATE TABLE liquid (id int PRIMARY KEY, name text);\n--changeset a:2\nALTER TABLE liquid ADD COLUMN at timestamptz;\n");
    try (var connection = DriverManager.getConnection(jdbc, user, password); var files = new liquibase.resource.DirectoryResourceAccessor(folder)) {
      var database = liquibase.database.DatabaseFactory.getInstance().findCorrectDatabaseImplementation(new liquibase.database.jvm.JdbcConnection(connection));
      var out = System.out;
      System.setOut(new java.io.PrintStream(java.io.OutputStream.nullOutputStream()));
      var tool = new liquibase.Liquibase("changes.sql", files, database);
      if (step.equals("use")) tool.listUnrunChangeSets(new liquibase.Contexts(), new liquibase.LabelExpression()); else tool.update("");
      System.setOut(out);
    }
  }

  static void jooq(String step) throws Exception {
    try (var connection = DriverManager.getConnection(jdbc, user, password)) {
      var context = using(connection, org.jooq.SQLDialect.POSTGRES);
      var id = field(name("id"), Integer.class);
      var label = field(name("label"), String.class);
      if (step.equals("prepare")) context.createTableIfNotExists("labels").column(id).column(label).constraint(primaryKey(id)).execute();
      if (step.equals("again")) { context.meta().getTables(); context.createTableIfNotExists("labels").column(id).execute(); }
      if (!step.equals("use")) return;
      var labels = table(name("labels"));
      for (int n = 1; n <= 30; n++) context.insertInto(labels, id, label).values(n, "l" + n).onConflict(id).doUpdate().set(label, "again").execute();
      context.batch(context.update(labels).set(label, (String) null).where(id.eq((Integer) null))).bind("x", 1).bind("y", 2).execute();
      context.transaction(inside -> inside.dsl().update(labels).set(label, "z").where(id.in(1, 2, 3)).execute());
      context.select(id, multiset(select(label).from(labels).where(id.lt(5)))).from(labels).limit(3).fetch();
      context.deleteFrom(labels).where(id.eq(30)).returning(id).fetch();
      context.mergeInto(labels).using(selectOne()).on(id.eq(7)).whenMatchedThenUpdate().set(label, "merged").execute();
      context.selectFrom(labels).where(id.gt(3)).orderBy(label.desc()).forUpdate().skipLocked().fetchLazy().close();
    }
  }
}
