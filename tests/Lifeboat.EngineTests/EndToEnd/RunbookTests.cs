using Lifeboat.EngineTests.Sources.Postgres;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>What docs/disaster-recovery.md tells a person to type when the server is gone, typed.</summary>
public sealed class RunbookTests
{
    [Fact]
    public async Task The_steps_for_a_server_that_is_gone_bring_the_app_back_on_an_empty_one()
    {
        Needs.Program("7zz");
        Needs.Root(); // the commands are root's
        using TemporaryFolder folder = new();
        PostgresServer lost = await PostgresServer.StartAsync();
        PostgresServer empty = await PostgresServer.StartAsync();
        await using (lost)
        await using (empty)
        {
            SampleApp app = new(folder["lost"], lost);
            app.Create(pagila: TestData.Find("pagila.sql") is not null, files: 60, encryption: """{password: "file:lifeboat.passphrase"}""");
            lost.Sql("shop", "INSERT INTO activity (account, amount) SELECT i % 9, i FROM generate_series(1, 900) i");
            LifeboatProgram.Shell(app.Directory, "mv passphrase lifeboat.passphrase");
            ProgramRun backup = LifeboatProgram.Run(app.Directory, "backup");
            Assert.True(backup.ExitStatus == 0, backup.All);
            string passphrase = File.ReadAllText(Path.Combine(app.Directory, "lifeboat.passphrase")).Trim();
            Directory.CreateDirectory(folder["tools"]);
            File.CreateSymbolicLink(Path.Combine(folder["tools"], "lifeboat"), LifeboatProgram.Path);

            string access = Path.Combine(empty.Data, "pg_hba.conf");
            string trusting = File.ReadAllText(access);
            Restart(empty, access, DebianAccess);
            string database = $"postgresql:///shop?host={empty.SocketFolder}&port={empty.Port}";
            string commands = Commands()
                .Choose("BUNDLE", Assert.Single(app.Bundles))
                .Choose("FOLDER", folder["new place"])
                .Choose("DATABASE", database)
                // There is no terminal here to be asked at.
                .Replace("restore \"$BUNDLE\" --target", "restore \"$BUNDLE\" --yes --target", StringComparison.Ordinal)
                .Replace("the passphrase", passphrase, StringComparison.Ordinal)
                // "Correct what is different now": the server's address.
                .Replace("(umask", $"sed -i 's|{lost.SocketUrl("shop")}|{database.Replace("&", "\\&", StringComparison.Ordinal)}|' lifeboat.yaml\n(umask", StringComparison.Ordinal);
            LifeboatProgram.Shell("/", $"PATH={folder["tools"]}:$PATH\nexport PGHOST={empty.SocketFolder} PGPORT={empty.Port}\n{commands}");

            Restart(empty, access, trusting);
            Assert.Equal("0", empty.Sql("postgres", "SELECT count(*) FROM pg_roles WHERE rolname = 'root'").Trim());
            Same.Database(lost, empty);
            Same.Tree(app.Files, Path.Combine(folder["new place"], "filestore"));
            string state = "sqlite3 -readonly state.db .dump; cat .env";
            Assert.Equal(LifeboatProgram.Shell(app.Directory, state), LifeboatProgram.Shell(folder["new place"], state));
            Assert.Single(Directory.GetFiles(Path.Combine(folder["new place"], "backups"), "*.zip"));
        }
    }

    /// <summary>The lines of Debian's pg_hba.conf (postgresql-common, pg_createcluster).</summary>
    private const string DebianAccess =
        """
        local all postgres peer
        local all all peer
        host all all 127.0.0.1/32 scram-sha-256
        host all all ::1/128 scram-sha-256

        """;

    private static void Restart(PostgresServer server, string access, string lines)
    {
        File.WriteAllText(access, lines);
        server.Stop("fast");
        server.Start();
    }

    /// <summary>The blocks of the chapter, one behind the other.</summary>
    private static string Commands()
    {
        string runbook = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "docs", "disaster-recovery.md"));
        string chapter = runbook[runbook.IndexOf("## The server is gone", StringComparison.Ordinal)..];
        chapter = chapter[..chapter.IndexOf("\n## ", 3, StringComparison.Ordinal)];
        return Instructions.Commands(chapter);
    }
}
