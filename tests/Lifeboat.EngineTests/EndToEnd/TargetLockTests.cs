using System.Diagnostics;
using System.Globalization;
using Lifeboat.EngineTests.Sources.MySql;
using Lifeboat.EngineTests.Sources.Postgres;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>Two app files that name one database: what one of them restores, the other keeps away from.</summary>
public sealed class TargetLockTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task While_one_app_restores_a_PostgreSQL_database_another_can_neither_restore_undo_nor_discard_it()
    {
        await using PostgresServer server = await PostgresServer.StartAsync();
        server.CreateDatabase("shop");
        server.Sql("shop", "CREATE TABLE item (id int); INSERT INTO item VALUES (1)");
        await CrossAsync(
            $"{{type: postgres, url: \"{server.SocketUrl("shop")}\"}}",
            () => server.Sql("shop", "SELECT count(*) FROM item").Trim(), namesTheHolder: true);
    }

    [Fact]
    public async Task While_one_app_restores_a_MariaDB_database_another_can_neither_restore_undo_nor_discard_it()
    {
        await using MariaDbServer server = await MariaDbServer.StartAsync();
        server.Sql("CREATE DATABASE shop; CREATE TABLE shop.item (id int); INSERT INTO shop.item VALUES (1)");
        await CrossAsync(
            $"{{type: mysql, url: \"mysql://root@/shop?socket={Uri.EscapeDataString(server.Socket)}\"}}",
            () => server.Sql("SELECT COUNT(*) FROM shop.item").Trim(), namesTheHolder: false);
    }

    private static async Task CrossAsync(string source, Func<string> count, bool namesTheHolder)
    {
        using TemporaryFolder folder = new();
        foreach (string app in (string[])["one", "two"])
        {
            Directory.CreateDirectory(folder[app]);
            File.WriteAllText(Path.Combine(folder[app], "lifeboat.yaml"), $"""
                app: {app}
                sources:
                  main: {source}
                stores: {"{"}local: {"{"}path: store{"}}"}
                encryption: none
                {(app == "one" ? "hooks: {before_commit: [\"sh -c 'test ! -e wait || { touch here; sleep 120; }'\"]}" : "")}
                """);
            Assert.Equal(3, LifeboatProgram.Run(folder[app], "backup").ExitStatus);
        }

        ProgramRun first = LifeboatProgram.Run(folder["two"], "restore", "latest", "--yes");
        Assert.True(first.ExitStatus is 0 or 3, first.All);
        File.WriteAllText(folder["one/wait"], "");
        using Process holder = LifeboatProgram.Start(folder["one"], new Dictionary<string, string>(), "restore", "latest", "--yes");
        Task<ProgramRun> ended = Task.Run(() => LifeboatProgram.Finish(holder), Cancellation);
        while (!File.Exists(folder["one/here"]) && !ended.IsCompleted)
            await Task.Delay(50, Cancellation);
        Assert.False(ended.IsCompleted, ended.IsCompleted ? ended.Result.All : "");

        foreach (string[] command in (string[][])[["restore", "latest", "--yes"], ["undo", "--yes"], ["discard", "--yes"]])
        {
            ProgramRun refused = LifeboatProgram.Run(folder["two"], command);
            Assert.True(refused.ExitStatus == 11, refused.All);
            if (namesTheHolder)
                Assert.Matches(string.Create(CultureInfo.InvariantCulture, $"lifeboat\\s+restore\\s+[a-z2-7]+,\\s+pid\\s+{holder.Id}\\s+on\\s"), refused.All);
            Assert.Equal("1", count());
        }

        holder.Kill(); // as kill -9 does: the server lets go of the lock by itself
        await ended;
        ProgramRun undo = LifeboatProgram.Run(folder["two"], "undo", "--yes");
        for (int i = 0; i < 50 && undo.ExitStatus == 11; i++)
        {
            await Task.Delay(100, Cancellation);
            undo = LifeboatProgram.Run(folder["two"], "undo", "--yes");
        }

        Assert.True(undo.ExitStatus is 0 or 3, undo.All);
        Assert.Equal("1", count());
        File.Delete(folder["one/wait"]);
        ProgramRun finish = LifeboatProgram.Run(folder["one"], "restore", "--finish");
        Assert.True(finish.ExitStatus == 3, finish.All);
        Assert.Equal("1", count());
    }
}
