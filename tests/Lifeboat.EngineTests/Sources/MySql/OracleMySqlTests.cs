using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.MySql;

/// <summary>Oracle's MySQL: what is its own (roles as accounts, default roles, JSON, invisible keys, dynamic rights), and the round trip as a whole.</summary>
public sealed class OracleMySqlTests(OracleMySqlServer server) : IClassFixture<OracleMySqlServer>
{
    private const string Shop = """
        CREATE DATABASE shop DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci; USE shop;
        SET sql_mode = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO';
        CREATE TABLE exact (id INT PRIMARY KEY, f FLOAT, d DOUBLE, n DECIMAL(65,30), j JSON, b BIT(64), l LONGBLOB, g GEOMETRY SRID 4326, e ENUM('', 'a', '2') NOT NULL,
            s SET('', 'x', 'y'), dt DATETIME(6), ts TIMESTAMP(6) NULL, t TIME, y YEAR, v VECTOR(2), sj VARCHAR(20) CHARACTER SET sjis, u VARCHAR(50));
        INSERT INTO exact VALUES (1, 16777217, 0.1, 1.000000000000000000000000000001, '{"b": 1.10, "a": ["x\\ty", null, true, "😀", 18446744073709551615]}', 0x5C0A0927FFFFFFFF,
            UNHEX('005C0A09270D1A22FF'), ST_GeomFromText('POINT(39 92)', 4326), 3, 5, '0000-00-00', '2026-10-25 00:30:00.123456', '838:59:59', 0, TO_VECTOR('[1.5,2]'), _sjis 0x835C, 'NULL'),
            (2, '-0', '-0', NULL, 'null', NULL, NULL, NULL, '', '', '2021-02-31', NULL, '-00:00:01', 2155, NULL, '', '\\N'), (3, NULL, NULL, NULL, NULL, 0, '', NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
        INSERT INTO exact (id, f, d, e) WITH RECURSIVE n (i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 900) SELECT i, RAND(i) * POW(10, i % 60) / 1e30, RAND(i) * POW(10, i % 300) / 1e150, 2 FROM n;
        CREATE TABLE parent (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(100), doc JSON, low VARCHAR(100) AS (LOWER(name)) VIRTUAL, up VARCHAR(100) AS (UPPER(name)) STORED,
            UNIQUE KEY by_name (name), KEY by_expression ((LENGTH(name))), KEY hidden_key (low) INVISIBLE, FULLTEXT KEY words (name),
            KEY tags ((CAST(doc->'$.tags' AS UNSIGNED ARRAY))), CONSTRAINT c CHECK (LENGTH(name) < 90) NOT ENFORCED) AUTO_INCREMENT = 500;
        INSERT INTO parent (id, name, doc) VALUES (0, 'Zero', '{"tags": [1, 2]}'), (7, 'Seven', NULL);
        CREATE TABLE child (parent INT, note TEXT INVISIBLE, KEY (parent DESC), CONSTRAINT fk FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE SET NULL);
        INSERT INTO child (parent, note) VALUES (7, 'x'), (NULL, NULL), (7, 'x');
        SET sql_generate_invisible_primary_key = 1; CREATE TABLE gipk (a INT); INSERT INTO gipk VALUES (5), (6); SET sql_generate_invisible_primary_key = 0;
        CREATE TABLE parts (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 3; INSERT INTO parts VALUES (1), (2), (3), (4);
        CREATE VIEW seen AS SELECT name FROM parent WHERE id > 0;
        DELIMITER //
        CREATE FUNCTION twice(x INT) RETURNS INT DETERMINISTIC RETURN x * 2 //
        SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES' //
        CREATE PROCEDURE p(IN "a b" INT) BEGIN /* kept */ SELECT '\' , "a b"; END //
        SET sql_mode = '' //
        CREATE TRIGGER tr BEFORE INSERT ON child FOR EACH ROW BEGIN SET NEW.note = 'triggered'; END //
        CREATE EVENT ev ON SCHEDULE EVERY 1 HOUR STARTS '2030-01-01 00:00:00' ON COMPLETION PRESERVE DO SET @x = 1 //
        DELIMITER ;
        CREATE ROLE reader, writer; GRANT SELECT ON shop.* TO reader; GRANT INSERT, UPDATE (name) ON shop.parent TO writer; GRANT reader TO writer WITH ADMIN OPTION;
        CREATE USER app@'%' IDENTIFIED BY 'p"a\'s\\s' DEFAULT ROLE reader, writer WITH MAX_USER_CONNECTIONS 9 PASSWORD HISTORY 3 FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME 2 COMMENT 'it''s';
        GRANT reader, writer TO app@'%'; ALTER USER app@'%' DEFAULT ROLE reader, writer; GRANT EXECUTE ON FUNCTION shop.twice TO app@'%'; GRANT BACKUP_ADMIN, PROCESS ON *.* TO app@'%';
        CREATE USER locked@localhost IDENTIFIED BY 'l' ACCOUNT LOCK; GRANT SELECT ON shop.* TO locked@localhost;
        """;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_database_with_its_accounts_is_the_same_on_an_empty_server()
    {
        server.Sql(Shop);
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(server.InsideSettings("shop"));
        Assert.Empty(bench.Host.Warnings);
        MySqlDetails details = MySqlDetails.From(snapshot.Metadata.Sources[0].Details!.Value);
        Assert.Equal(["app", "locked", "reader", "writer"], details.Accounts!.Select(static a => a.User).Order(StringComparer.Ordinal));
        Assert.Matches("^[0-9a-f-]{36}:1-[0-9]+$", details.Gtid);
        await using OracleMySqlServer empty = await OracleMySqlServer.StartAnotherAsync();
        await using IRestoration restoration = await bench.RestoreAsync(snapshot, empty.InsideSettings("shop"));
        string dump = server.Dump("shop");
        Assert.Equal(dump, empty.Dump("shop"));
        Assert.Equal(Checksums(server), Checksums(empty));
        foreach (MySqlAccount account in details.Accounts!)
        {
            string name = $"`{account.User}`@`{account.Host}`";
            string show = $"SET print_identified_with_as_hex = 1; SHOW CREATE USER {name}; SHOW GRANTS FOR {name}";
            Assert.Equal(server.Sql(show), empty.Sql(show));
        }

        Assert.Equal("Zero\n", empty.Login("app", "p\"a's\\s", "SELECT name FROM parent WHERE id = 0", "shop"));
        Assert.Throws<InvalidOperationException>(() => empty.Login("app", "p\"a's\\s", "DELETE FROM parent", "shop"));
        Assert.Equal("14\n", empty.Sql("SELECT twice(7)", "shop"));

        // Once more over what is live now, and back.
        empty.Sql("UPDATE parent SET name = 'changed' WHERE id = 7; DROP VIEW seen", "shop");
        string changed = empty.Dump("shop");
        await using IRestoration again = await bench.RestoreAsync(snapshot, empty.InsideSettings("shop"), "again");
        Assert.Equal(dump, empty.Dump("shop"));
        await again.RevertAsync(Cancellation);
        Assert.Equal(changed, empty.Dump("shop"));
    }

    [Fact]
    public async Task A_snapshot_of_the_other_kind_of_server_is_refused_with_what_that_has_before_anything_is_done()
    {
        await using MariaDbServer other = await MariaDbServer.StartAsync();
        other.Sql("""
            CREATE DATABASE there; USE there; CREATE TABLE t (a INT PRIMARY KEY, u UUID, i INET6); CREATE SEQUENCE s; CREATE TABLE h (a INT) WITH SYSTEM VERSIONING;
            SET sql_mode = ORACLE;
            DELIMITER //
            CREATE PACKAGE tools AS FUNCTION three RETURN INT; END; //
            DELIMITER ;
            CREATE ROLE theirs; GRANT SELECT ON there.* TO theirs;
            """);
        string both = State(other);
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(other.Own("there"));
        Problem refused = Assert.Single((await bench.Restoration(snapshot, server.Own("there")).PlanAsync(Cancellation)).Blockers, static b => b.Message.Contains("is of MariaDB", StringComparison.Ordinal));
        Assert.Equal(ErrorCodes.MySqlServerDiffers, refused.Code);
        foreach (string feature in (string[])["sequences (s)", "packages (tools)", "system-versioned tables (h)", "the type UUID (t.u)", "the type INET6 (t.i)", "roles without a host (`theirs`)"])
            Assert.Contains(feature, refused.Message, StringComparison.Ordinal);
        server.Sql("""
            CREATE DATABASE here; USE here; CREATE TABLE t (a INT PRIMARY KEY, v VECTOR(2), j JSON) COLLATE utf8mb4_0900_as_ci; CREATE USER theirs@localhost IDENTIFIED BY 't';
            GRANT SELECT ON here.* TO theirs@localhost; GRANT BACKUP_ADMIN, XA_RECOVER_ADMIN ON *.* TO theirs@localhost;
            """);
        using MySqlBench back = new();
        IReadOnlyList<Problem> blockers = (await back.Restoration(await back.CaptureAsync(server.Own("here")), other.Own("here")).PlanAsync(Cancellation)).Blockers;
        Assert.Contains(blockers, static b => b.Message.Contains("utf8mb4_0900_as_ci", StringComparison.Ordinal));
        refused = Assert.Single(blockers, static b => b.Message.Contains("is of MySQL", StringComparison.Ordinal));
        foreach (string feature in (string[])["the type VECTOR (t.v)", "the type JSON as MySQL has it (t.j)", "authentication plugins caching_sha2_password", "dynamic privileges BACKUP_ADMIN, XA_RECOVER_ADMIN"])
            Assert.Contains(feature, refused.Message, StringComparison.Ordinal);
        Assert.Equal(both, State(other));
        Assert.DoesNotContain("there", server.Sql("SHOW DATABASES"), StringComparison.Ordinal);
        server.Sql("DROP DATABASE here; DROP USER theirs@localhost");
        static string State(MariaDbServer of) => of.Sql("SHOW DATABASES") + string.Join('\n', of.AccountNames());
    }

    [Fact]
    public async Task A_second_password_which_the_server_does_not_tell_is_warned_of()
    {
        server.Sql("""
            CREATE DATABASE changing; CREATE TABLE changing.t (a INT); CREATE USER rotated@localhost IDENTIFIED BY 'a'; GRANT SELECT ON changing.* TO rotated@localhost;
            ALTER USER rotated@localhost IDENTIFIED BY 'b' RETAIN CURRENT PASSWORD; CREATE USER beside@localhost IDENTIFIED BY 'a'; ALTER USER beside@localhost IDENTIFIED BY 'b' RETAIN CURRENT PASSWORD;
            """);
        using MySqlBench bench = new();
        await bench.CaptureAsync(server.Own("changing"));
        Problem warning = Assert.Single(bench.Host.Warnings);
        Assert.Equal(ErrorCodes.MySqlAccountsLeftOut, warning.Code);
        Assert.Contains("`rotated`@`localhost` has a second password", warning.Message, StringComparison.Ordinal);
        server.Sql("DROP DATABASE changing; DROP USER rotated@localhost, beside@localhost");
    }

    /// <summary>Without table parent, whose checksum sees hidden columns of its functional keys, which are not its content.</summary>
    private static string Checksums(MariaDbServer of) => of.Sql("CHECKSUM TABLE exact, child, gipk, parts", "shop");
}
