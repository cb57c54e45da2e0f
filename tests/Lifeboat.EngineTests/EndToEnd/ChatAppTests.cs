using System.Diagnostics;
using Lifeboat.EngineTests.Sources.Chroma;
using Lifeboat.Samples;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>One app file over all kinds of stores: one command backs them up, one restores all of them or none.</summary>
public sealed class ChatAppTests
{
    [Fact]
    public async Task All_stores_of_an_app_come_back_on_empty_servers_with_their_logins()
    {
        Needs.Program("sqlite3");
        using TemporaryFolder folder = new();
        await using ChatContent original = await ChatContent.StartAsync();
        await using ChatContent empty = await ChatContent.StartAsync();
        Directory.CreateDirectory(folder["app"]);
        await using ChromaServer chroma = await ChromaServer.StartAsync(folder["app/chroma_data"]);
        ChatApp app = new(folder["app"], original.Servers with { ChromaUrl = chroma.Url }, ChatSize.Tiny);
        app.Create();
        Succeeds(app, "doctor");
        Succeeds(app, "backup");
        Succeeds(app, "verify", "latest");

        string target = folder["restored"];
        Directory.CreateDirectory(target);
        Succeeds(
            app, "restore", "latest", "--yes",
            "--target", $"chat={empty.Servers.PostgresUrl("chat")}", "--target", $"memory={empty.Servers.PostgresUrl("memory")}",
            "--target", $"shop={empty.Servers.MySqlUrl("shop")}", "--target", $"state={target}/data/state.db",
            "--target", $"vectors={target}/chroma_data", "--target", $"filestore={target}/filestore", "--target", $"settings={target}");

        foreach (((string of, string content), (_, string restored)) in original.Read(app.Folder).Zip(empty.Read(target)))
        {
            Assert.True(content.Length > 100, $"there is more in {of} than: {content}");
            Assert.True(content == restored, $"{of} differs:\n{Difference(content, restored)}");
        }

        LoginsWork(empty);
        await using ChromaServer second = await ChromaServer.StartAsync($"{target}/chroma_data");
        string vectors = await AnswersAsync(chroma);
        Assert.Matches("conversations .* 25 25 .*\nnotes .* 12 12 ", vectors);
        Assert.Equal(vectors, await AnswersAsync(second));
        Assert.Equal("", empty.Leftovers(target));
    }

    [Fact]
    public async Task When_the_last_store_cannot_be_switched_all_are_as_they_were()
    {
        Needs.Program("sqlite3");
        using TemporaryFolder folder = new();
        await using ChatContent servers = await ChatContent.StartAsync();
        Directory.CreateDirectory(folder["app"]);
        ChatApp app;
        string vectors;
        await using (ChromaServer chroma = await ChromaServer.StartAsync(folder["app/chroma_data"]))
        {
            app = new ChatApp(folder["app"], servers.Servers with { ChromaUrl = chroma.Url }, ChatSize.Tiny);
            app.Create();
            Succeeds(app, "backup");
            vectors = await AnswersAsync(chroma);
            await chroma.DropAsync("notes");
        }

        // Since then the app went on: rows, a table, an account, a role, a file and a setting more, and others less.
        servers.Postgres.Sql("chat", "DELETE FROM attachment; INSERT INTO account VALUES (100001, 'later'); DROP VIEW document; CREATE ROLE later LOGIN PASSWORD 'x'; DROP OWNED BY chat_reader");
        servers.Postgres.Sql("memory", "TRUNCATE graph.node CASCADE");
        servers.MariaDb.Sql("DELETE FROM order_line; CREATE TABLE later (a INT); DROP TRIGGER order_placed; DROP USER shop_report@'127.0.0.1'; CREATE USER later@localhost", "shop");
        LifeboatProgram.Shell(app.Folder, "echo later > filestore/later; echo LATER=1 >> .env; sqlite3 data/state.db 'DELETE FROM note'");
        (string Of, string Content)[] before = [.. servers.Read(app.Folder)];
        string Persisted() => LifeboatProgram.Shell(app.Vectors, "find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha1sum");
        string persisted = Persisted();

        using Process holder = LifeboatProgramTests.HoldSqlite(app.State);
        ProgramRun run = LifeboatProgram.Run(app.Folder, "restore", "latest", "--yes");
        holder.Kill();
        await holder.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(run.ExitStatus == 1, run.All);
        Assert.Contains("state.db", run.Errors, StringComparison.Ordinal);
        foreach (((string of, string content), (_, string after)) in before.Zip(servers.Read(app.Folder)))
            Assert.True(content == after, $"{of} differs:\n{Difference(content, after)}");
        Assert.Equal(persisted, Persisted());
        Assert.Equal("", servers.Leftovers(app.Folder));

        // And with nothing in the way all of it is what it was in the snapshot.
        Succeeds(app, "restore", "latest", "--yes");
        Assert.NotEqual("0", servers.Postgres.Sql("memory", "SELECT count(*) FROM graph.node").Trim());
        LoginsWork(servers);
        await using ChromaServer again = await ChromaServer.StartAsync(app.Vectors);
        Assert.Equal(vectors, await AnswersAsync(again));
    }

    [Fact]
    public async Task The_same_seed_makes_the_same_app()
    {
        Needs.Program("sqlite3");
        using TemporaryFolder folder = new();
        await using ChatContent one = await ChatContent.StartAsync();
        await using ChatContent two = await ChatContent.StartAsync();
        new ChatApp(folder["one"], one.Servers, new ChatSize(3), seed: 7).Create();
        new ChatApp(folder["two"], two.Servers, new ChatSize(3), seed: 7).Create();
        // Password hashes have salts, and folders the time at which they were made.
        static IEnumerable<(string, string)> Content(ChatContent servers, string folder) => servers.Read(folder).Where(static part => part.Of is not ("roles" or "files" or "settings"));
        Assert.Equal(Content(one, folder["one"]), Content(two, folder["two"]));
        Assert.Equal("", LifeboatProgram.Shell(folder.Path, "diff -r one/filestore two/filestore; diff one/.env two/.env; diff one/app_settings.json two/app_settings.json"));
        Assert.Equal("t", one.Postgres.Sql("chat", "SELECT max(length(body)) > 100000 FROM message").Trim());
    }

    private static void Succeeds(ChatApp app, params string[] arguments)
    {
        ProgramRun run = LifeboatProgram.Run(app.Folder, arguments);
        Assert.True(run.ExitStatus == 0, $"lifeboat {string.Join(' ', arguments)} ended with {run.ExitStatus}:\n{run.All}");
    }

    private static void LoginsWork(ChatContent servers)
    {
        Same.LogsIn(servers.Postgres, "chat", "chat_owner", ChatApp.ChatOwnerPassword, "CREATE TABLE made_after (id int); DROP TABLE made_after");
        Same.LogsIn(servers.Postgres, "chat", "chat_reader", ChatApp.ChatReaderPassword, "SELECT count(*) FROM message");
        Same.LogsIn(servers.Postgres, "memory", "memory_owner", ChatApp.MemoryOwnerPassword, "SELECT * FROM graph.within(1, 2)");
        Assert.Throws<Xunit.Sdk.TrueException>(() => Same.LogsIn(servers.Postgres, "chat", "chat_reader", ChatApp.ChatReaderPassword, "DELETE FROM message"));
        Assert.Throws<Xunit.Sdk.TrueException>(() => Same.LogsIn(servers.Postgres, "chat", "chat_reader", "wrong", "SELECT 1"));
        Assert.Equal("1\n", servers.MariaDb.Login("shop_app", ChatApp.ShopPassword, "INSERT INTO audit (at, what) VALUES (NOW(), 'x'); SELECT COUNT(*) > 0 FROM best", "shop"));
        Assert.Equal("1\n", servers.MariaDb.Login("shop_report", ChatApp.ShopReportPassword, "CALL close_day(); SELECT COUNT(*) > 0 FROM orders", "shop"));
        Assert.Throws<InvalidOperationException>(() => servers.MariaDb.Login("shop_report", ChatApp.ShopReportPassword, "DELETE FROM orders", "shop"));
        Assert.Throws<InvalidOperationException>(() => servers.MariaDb.Login("shop_app", "wrong", "SELECT 1", "shop"));
    }

    /// <summary>All records of a Chroma server's collections, and the nearest to one of them.</summary>
    private static async Task<string> AnswersAsync(ChromaServer chroma)
    {
        string collection = (await chroma.CollectionsAsync())["conversations"];
        float[] vector = [.. (await chroma.RecordsAsync(collection))["7"]["embedding"]!.AsArray().Select(static value => value!.GetValue<float>())];
        return await chroma.DigestAsync() + await chroma.QueryAsync(collection, vector, 10);
    }

    /// <summary>The first lines that are not the same.</summary>
    private static string Difference(string expected, string found) => string.Join('\n', expected.Split('\n').Zip(found.Split('\n'))
        .Where(static pair => pair.First != pair.Second).Take(5).Select(static pair => $"- {Cut(pair.First)}\n+ {Cut(pair.Second)}"));

    private static string Cut(string line) => line.Length > 400 ? line[..400] + "…" : line;
}
