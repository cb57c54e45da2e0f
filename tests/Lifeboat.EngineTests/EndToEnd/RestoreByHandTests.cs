using System.Text.RegularExpressions;
using Lifeboat.EngineTests.Sources.Postgres;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>The worst day: the bundle and its passphrase are there, Lifeboat is not. A person pastes what the bundle's own document says.</summary>
public sealed partial class RestoreByHandTests
{
    [Fact]
    public async Task Pasting_the_restore_instructions_with_stock_tools_restores_the_whole_app_on_an_empty_server()
    {
        foreach (string program in (string[])["7zz", "bsdtar", "sqlite3"])
            Needs.Program(program);
        using TemporaryFolder folder = new();
        PostgresServer server = await PostgresServer.StartAsync();
        PostgresServer empty = await PostgresServer.StartAsync();
        await using (server)
        await using (empty)
        {
            SampleApp app = new(folder["app"], server);
            app.Create(pagila: TestData.Find("pagila.sql") is not null, files: 300);
            server.Sql("shop", "INSERT INTO activity (account, amount) SELECT i % 9, i FROM generate_series(1, 500) i");
            ProgramRun backup = LifeboatProgram.Run(app.Directory, "backup");
            Assert.True(backup.ExitStatus == 0, backup.All);
            string bundle = Assert.Single(app.Bundles);
            string password = File.ReadAllText(Path.Combine(app.Directory, "passphrase"));

            string bare = folder["bare"];
            Directory.CreateDirectory(bare);
            File.Copy(bundle, Path.Combine(bare, Path.GetFileName(bundle)));
            string document = LifeboatProgram.Tool(bare, "7zz", "x", "-so", "-p" + password.Trim(), bundle, "restore_instructions.md").Output;
            Paste(document, bare, password, empty);

            string restored = Path.Combine(bare, "new place");
            Same.Database(server, empty);
            Same.LogsIn(empty, "shop", "shop_owner", SampleApp.OwnerPassword, "INSERT INTO activity (account, amount) VALUES (1, 1)");
            Same.LogsIn(empty, "shop", "shop_reader", SampleApp.ReaderPassword, "SELECT count(*) FROM activity");
            string dump = "sqlite3 -readonly state.db .dump";
            Assert.Equal(LifeboatProgram.Shell(app.Directory, dump), LifeboatProgram.Shell(Path.Combine(restored, "state"), dump));
            Same.Tree(app.Files, Path.Combine(restored, "filestore"));
            string settings = "find .env -printf '%m %U:%G %T@ '; cat .env";
            Assert.Equal(LifeboatProgram.Shell(app.Directory, settings), LifeboatProgram.Shell(Path.Combine(restored, "settings"), settings));
        }
    }

    /// <summary>Runs all blocks in one shell, with the two things chosen that the document asks for, and the password typed.</summary>
    private static void Paste(string document, string directory, string password, PostgresServer empty)
    {
        string commands = Instructions.Commands(document)
            .Choose("RESTORED", Path.Combine(directory, "new place"))
            .Choose("PGHOST", empty.SocketFolder)
            .Choose("PGPORT", $"{empty.Port}");
        Assert.DoesNotMatch(Lifeboats(), commands);
        LifeboatProgram.Shell(directory, $"export PATH={empty.Bin}:$PATH\n{commands}", password);
    }

    [GeneratedRegex("(?m)^ *lifeboat ")]
    private static partial Regex Lifeboats();
}
