using Lifeboat.EngineTests.Sources.MySql;
using Lifeboat.EngineTests.Sources.Postgres;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>Definitions that could not be restored are found on the day of the backup, by a restore of them without rows.</summary>
public sealed class RestoreCheckTests
{
    private const string Password = "horse-lantern-quartz-91827-velvet-onyx";

    [Fact]
    public async Task A_backup_says_that_definitions_could_not_be_restored_and_the_doctor_says_why()
    {
        using TemporaryFolder folder = new();
        await using PostgresServer server = await PostgresServer.StartAsync();
        MakeShop(server);
        WriteApp(folder, $"main: {{type: postgres, url: \"{server.SocketUrl("shop")}\"}}", "restore_check: {when: changed}");

        ProgramRun fine = Run(folder, "backup", "--json");
        Assert.True(fine.ExitStatus == 0, fine.All);
        string proven = Proven(folder);
        Assert.Contains("main", proven, StringComparison.Ordinal);

        // Nothing in the catalogue says that f needs g: the live index goes on, and no server can make it anew.
        server.Sql("shop", "DROP FUNCTION g(int)");
        server.Sql("shop", "COMMENT ON TABLE item IS 'changed'");
        ProgramRun broken = Run(folder, "backup");

        Assert.Equal(3, broken.ExitStatus);
        Assert.Contains("LB8040", broken.All, StringComparison.Ordinal);
        Assert.Contains("function public.g(integer) does not exist", Flat(broken.All), StringComparison.Ordinal);
        Assert.Equal(2, Directory.GetFiles(folder["bundles"], "*.zip").Length);
        Assert.Equal(proven, Proven(folder));
        ProgramRun doctor = Run(folder, "doctor", "--restore-check");
        Assert.Equal(1, doctor.ExitStatus);
        Assert.Contains("NOT OK", doctor.Output, StringComparison.Ordinal);
        Assert.Contains("function public.g(integer) does not exist", Flat(doctor.All), StringComparison.Ordinal);
        Assert.Equal(0, Run(folder, "doctor").ExitStatus);
        NothingIsLeft(folder, server);

        server.Sql("shop", G);
        ProgramRun mended = Run(folder, "backup");
        Assert.True(mended.ExitStatus == 0, mended.All);
        Assert.NotEqual(proven, Proven(folder));
        NothingIsLeft(folder, server);
    }

    [Fact]
    public async Task Only_changed_definitions_are_checked_unless_all_are_asked_for()
    {
        using TemporaryFolder folder = new();
        await using PostgresServer server = await PostgresServer.StartAsync("log_statement=all");
        MakeShop(server);
        WriteApp(folder, $"main: {{type: postgres, url: \"{server.SocketUrl("shop")}\"}}", "restore_check: {when: changed}");
        Assert.Equal(0, Run(folder, "backup").ExitStatus);
        int once = Staged(server);
        Assert.True(once > 0);

        server.Sql("shop", "INSERT INTO item VALUES (7, 7)");
        Assert.Equal(0, Run(folder, "backup").ExitStatus);
        Assert.Equal(once, Staged(server));
        server.Sql("shop", "ALTER TABLE item ADD COLUMN more text");
        Assert.Equal(0, Run(folder, "backup").ExitStatus);
        Assert.Equal(2 * once, Staged(server));
        File.WriteAllText(folder["app/lifeboat.yaml"], File.ReadAllText(folder["app/lifeboat.yaml"]).Replace("changed", "always", StringComparison.Ordinal));
        Assert.Equal(0, Run(folder, "backup").ExitStatus);
        Assert.Equal(3 * once, Staged(server));
    }

    [Fact]
    public async Task Another_server_is_used_where_one_is_named_and_gets_no_role()
    {
        using TemporaryFolder folder = new();
        await using PostgresServer server = await PostgresServer.StartAsync("log_statement=all");
        await using PostgresServer scratch = await PostgresServer.StartAsync();
        server.Sql("postgres", "CREATE ROLE shopkeeper");
        MakeShop(server);
        server.Sql("shop", "ALTER TABLE item OWNER TO shopkeeper");
        WriteApp(
            folder, $"main: {{type: postgres, url: \"{server.SocketUrl("shop")}\"}}",
            $"restore_check: {{when: always, targets: {{main: \"{scratch.SocketUrl("scratch")}\"}}}}");

        ProgramRun backup = Run(folder, "backup");

        Assert.True(backup.ExitStatus == 0, backup.All);
        Assert.Contains("main", Proven(folder), StringComparison.Ordinal);
        Assert.Equal(0, Staged(server));
        NothingIsLeft(folder, scratch);
        Assert.Equal("0", scratch.Sql("postgres", "SELECT count(*) FROM pg_roles WHERE rolname = 'shopkeeper'").Trim());
    }

    [Fact]
    public async Task Every_kind_of_database_is_checked_and_rows_stay_where_they_are()
    {
        using TemporaryFolder folder = new();
        await using MariaDbServer server = await MariaDbServer.StartAsync();
        server.Sql("CREATE DATABASE crm");
        server.Sql("CREATE TABLE note (id int PRIMARY KEY, s varchar(20) CHECK (s IN ('new', 'done'))); INSERT INTO note VALUES (1, 'new')", "crm");
        server.Sql("CREATE VIEW news AS SELECT id FROM note WHERE s = 'new'; CREATE TRIGGER t BEFORE INSERT ON note FOR EACH ROW SET NEW.s = lower(NEW.s)", "crm");
        WriteApp(folder, $"crm: {{type: mysql, url: \"{server.Url("crm")}\"}}\n  files: {{type: files, path: .}}", "restore_check: {when: changed}");

        ProgramRun doctor = Run(folder, "doctor", "--restore-check");

        Assert.True(doctor.ExitStatus is 0 or 3, doctor.All);
        Assert.Contains("restore of the definitions of crm", doctor.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("definitions of files", doctor.Output, StringComparison.Ordinal);
        Assert.Equal("1", server.Sql("SELECT count(*) FROM note", "crm").Trim());
        Assert.DoesNotContain("staging", server.Sql("SHOW DATABASES"), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(folder["app/.lifeboat"], "*.journal"));
        string proven = Proven(folder);
        ProgramRun backup = Run(folder, "backup");
        Assert.True(backup.ExitStatus is 0 or 3, backup.All);
        Assert.DoesNotContain("LB8040", backup.All, StringComparison.Ordinal);
        Assert.Equal(proven, Proven(folder));
    }

    private const string G = "CREATE FUNCTION g(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 + 1'";

    private static void MakeShop(PostgresServer server)
    {
        server.CreateDatabase("shop");
        server.Sql("shop", G);
        server.Sql("shop", "CREATE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT public.g($1)'");
        server.Sql("shop", "CREATE TABLE item (id int PRIMARY KEY, n int); INSERT INTO item SELECT i, i FROM generate_series(1, 5) i; CREATE INDEX ON item (f(n))");
        server.Sql("shop", "CREATE MATERIALIZED VIEW share AS SELECT 1 / count(*) AS one FROM item");
    }

    private static void WriteApp(TemporaryFolder folder, string source, string check)
    {
        Directory.CreateDirectory(folder["app"]);
        File.WriteAllText(folder["app/lifeboat.yaml"], $$"""
            app: shop
            workers: 2
            sources:
              {{source}}
            stores:
              local: {path: ../bundles}
            encryption: {password: "env:LIFEBOAT_PASSWORD"}
            {{check}}

            """);
    }

    private static ProgramRun Run(TemporaryFolder folder, params string[] arguments) =>
        LifeboatProgram.Run(folder["app"], new Dictionary<string, string> { ["LIFEBOAT_PASSWORD"] = Password }, arguments);

    private static string Proven(TemporaryFolder folder) => File.ReadAllText(folder["app/.lifeboat/restore-check.json"]);

    private static int Staged(PostgresServer server) =>
        File.ReadAllText(server.LogFile).Split('\n').Count(static line => line.Contains("CREATE DATABASE", StringComparison.Ordinal) && line.Contains("__staging_", StringComparison.Ordinal));

    private static void NothingIsLeft(TemporaryFolder folder, PostgresServer server)
    {
        Assert.Equal("0", server.Sql("postgres", @"SELECT count(*) FROM pg_database WHERE datname LIKE '%\_\_%'").Trim());
        Assert.Empty(Directory.GetFiles(folder["app/.lifeboat"], "*.journal"));
        Assert.Empty(Directory.GetFileSystemEntries(System.IO.Path.GetTempPath(), "definitions-*"));
    }

    private static string Flat(string text) => string.Join(' ', text.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries));
}
