using System.Diagnostics;
using System.Globalization;
using Lifeboat.EngineTests.Sources.Postgres;
using Lifeboat.Tests.Shared;
using Npgsql;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>The main job, as people do it: back up an app that is being written to, restore it on empty servers, and compare with stock tools.</summary>
public sealed class WholeAppTests
{
    [Fact]
    public async Task An_app_that_is_written_to_while_it_is_backed_up_comes_back_exactly_on_an_empty_server()
    {
        using TemporaryFolder folder = new();
        PostgresServer server = await PostgresServer.StartAsync();
        PostgresServer empty = await PostgresServer.StartAsync();
        await using (server)
        await using (empty)
        {
            SampleApp app = new(folder["app"], server);
            app.Create(pagila: true, files: 2000);
            await BackUpUnderWritesAsync(app, server);

            string target = folder["restored"];
            Directory.CreateDirectory(target);
            ProgramRun restore = LifeboatProgram.Run(
                app.Directory, "restore", "latest", "--yes",
                "--target", $"main={empty.SocketUrl("shop")}", "--target", $"state={target}/state.db",
                "--target", $"filestore={target}/filestore", "--target", $"settings={target}");
            Assert.True(restore.ExitStatus == 0, restore.All);

            Same.Database(server, empty, "--exclude-table-data=activity", "--exclude-table-data=activity_id_seq");
            Assert.Equal("0", empty.Sql("shop", "SELECT coalesce(sum(amount), 0) FROM activity").Trim());
            Assert.Equal("t", empty.Sql("shop", "SELECT (SELECT last_value FROM activity_id_seq) >= coalesce(max(id), 0) FROM activity").Trim());
            await RolesCanDoWhatTheyCouldAsync(empty);
            CompareSqlite(target);
            Same.Tree(app.Files, Path.Combine(target, "filestore"));
            Assert.Equal(File.ReadAllText(Path.Combine(app.Directory, ".env")), File.ReadAllText(Path.Combine(target, ".env")));
        }
    }

    [Fact]
    public async Task A_restore_over_live_data_keeps_the_previous_state_of_every_source()
    {
        using TemporaryFolder folder = new();
        await using PostgresServer server = await PostgresServer.StartAsync();
        SampleApp app = new(folder["app"], server);
        app.Create(pagila: false);
        Assert.Equal(0, LifeboatProgram.Run(app.Directory, "backup").ExitStatus);
        server.Sql("shop", "DELETE FROM item; INSERT INTO item VALUES (1, 'written after the backup')");
        File.WriteAllText(Path.Combine(app.Files, "after"), "written after the backup");
        LifeboatProgram.Shell(app.Directory, "sqlite3 state.db \"DELETE FROM note\"");

        ProgramRun restore = LifeboatProgram.Run(app.Directory, "restore", "latest", "--yes", "--json");

        Assert.True(restore.ExitStatus == 0, restore.All);
        Assert.Equal("5000", server.Sql("shop", "SELECT count(*) FROM item").Trim());
        string before = server.Sql("postgres", "SELECT datname FROM pg_database WHERE datname LIKE 'shop\\_\\_before%'").Trim();
        server.Sql("postgres", $"ALTER DATABASE {before} ALLOW_CONNECTIONS true"); // it is closed until an undo
        Assert.Equal("written after the backup", server.Sql(before, "SELECT name FROM item").Trim());
        Assert.False(File.Exists(Path.Combine(app.Files, "after")));
        Assert.Single(Directory.GetDirectories(app.Directory, "filestore__before_*"), static kept => File.Exists(Path.Combine(kept, "after")));
        Assert.Equal("3000", LifeboatProgram.Shell(app.Directory, "sqlite3 state.db 'SELECT count(*) FROM note'").Trim());
        Assert.Equal("0", LifeboatProgram.Shell(app.Directory, "sqlite3 state.db__before_* 'SELECT count(*) FROM note'").Trim());
        Assert.Empty(Directory.GetFileSystemEntries(app.Directory, "*__staging_*"));
    }

    [Fact]
    public async Task A_dry_run_shows_the_plan_and_changes_nothing()
    {
        using TemporaryFolder folder = new();
        await using PostgresServer server = await PostgresServer.StartAsync();
        SampleApp app = new(folder["app"], server);
        app.Create(pagila: false);
        Assert.Equal(0, LifeboatProgram.Run(app.Directory, "backup").ExitStatus);
        string Listing() => server.Sql("postgres", "SELECT datname, oid FROM pg_database ORDER BY 1") + LifeboatProgram.Shell(app.Directory, "find . -printf '%p %i %T@\\n' | grep -v '\\.lifeboat' | sort");
        string listed = Listing();

        ProgramRun run = LifeboatProgram.Run(app.Directory, "restore", "latest", "--dry-run");

        Assert.True(run.ExitStatus == 0, run.All);
        Assert.Contains("shop__before_", run.Output, StringComparison.Ordinal);
        Assert.Equal(listed, Listing());
    }

    [Fact]
    public async Task When_one_source_cannot_be_switched_all_stay_as_they_were()
    {
        using TemporaryFolder folder = new();
        await using PostgresServer server = await PostgresServer.StartAsync();
        SampleApp app = new(folder["app"], server);
        app.Create(pagila: false);
        Assert.Equal(0, LifeboatProgram.Run(app.Directory, "backup").ExitStatus);
        server.Sql("shop", "DELETE FROM item");

        // A writer that holds the SQLite database keeps its switch from happening, after the database was switched.
        using Process holder = LifeboatProgramTests.HoldSqlite(app.SqliteFile);
        ProgramRun run = LifeboatProgram.Run(app.Directory, "restore", "latest", "--yes");
        holder.Kill();

        Assert.Equal(1, run.ExitStatus);
        Assert.Equal("0", server.Sql("shop", "SELECT count(*) FROM item").Trim());
        Assert.Equal("", server.Sql("postgres", "SELECT datname FROM pg_database WHERE datname LIKE 'shop\\_\\_%'").Trim());
        Assert.Empty(Directory.GetFileSystemEntries(app.Directory, "*__staging_*"));
        Assert.Empty(Directory.GetFileSystemEntries(app.Directory, "*__before_*"));
    }

    private static async Task BackUpUnderWritesAsync(SampleApp app, PostgresServer server)
    {
        using CancellationTokenSource stop = new();
        Task database = Task.Run(
            () =>
            {
                // Each transaction moves an amount, so the sum over a consistent cut is always 0.
                while (!stop.IsCancellationRequested)
                    server.Sql("shop", "DO $$ BEGIN FOR i IN 1..50 LOOP INSERT INTO activity (account, amount) VALUES (1, i), (2, -i); COMMIT; END LOOP; END $$");
            },
            CancellationToken.None);
        Task sqlite = Task.Run(
            () =>
            {
                while (!stop.IsCancellationRequested)
                    LifeboatProgram.Shell(app.Directory, "for i in 1 2 3 4 5 6 7 8 9; do echo \"BEGIN IMMEDIATE; UPDATE account SET balance = balance - $i WHERE id = 1; UPDATE account SET balance = balance + $i WHERE id = 2; COMMIT;\"; done | sqlite3 -cmd '.timeout 5000' state.db");
            },
            CancellationToken.None);
        ProgramRun backup = LifeboatProgram.Run(app.Directory, "backup");
        await stop.CancelAsync();
        await Task.WhenAll(database, sqlite);
        Assert.True(backup.ExitStatus == 0, backup.All);
        ProgramRun verify = LifeboatProgram.Run(app.Directory, "verify", "latest");
        Assert.True(verify.ExitStatus == 0, verify.All);
    }

    private static async Task RolesCanDoWhatTheyCouldAsync(PostgresServer server)
    {
        await using NpgsqlConnection owner = await LogInAsync(server, "shop_owner", SampleApp.OwnerPassword);
        await ExecuteAsync(owner, "CREATE TABLE public.made_after (id int); INSERT INTO public.made_after VALUES (1); DROP TABLE public.made_after");
        await using NpgsqlConnection reader = await LogInAsync(server, "shop_reader", SampleApp.ReaderPassword);
        await ExecuteAsync(reader, "SELECT count(*) FROM public.film");
        PostgresException refused = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(reader, "DELETE FROM public.activity"));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
        await Assert.ThrowsAsync<PostgresException>(() => LogInAsync(server, "shop_reader", "wrong"));
    }

    private static async Task<NpgsqlConnection> LogInAsync(PostgresServer server, string user, string password)
    {
        NpgsqlConnectionStringBuilder settings = new()
        {
            Host = "127.0.0.1", Port = server.Port, Database = "shop", Username = user, Password = password, Pooling = false,
        };
        NpgsqlConnection connection = new(settings.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        return connection;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using NpgsqlCommand command = new(sql, connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    private static void CompareSqlite(string target)
    {
        Assert.Equal("ok", LifeboatProgram.Shell(target, "sqlite3 state.db 'PRAGMA integrity_check'").Trim());
        Assert.Equal("1000000", LifeboatProgram.Shell(target, "sqlite3 state.db 'SELECT sum(balance) FROM account'").Trim());
        Assert.Equal("3000", LifeboatProgram.Shell(target, "sqlite3 state.db \"SELECT count(*) FROM search WHERE search MATCH 'note'\"").Trim());
    }
}
