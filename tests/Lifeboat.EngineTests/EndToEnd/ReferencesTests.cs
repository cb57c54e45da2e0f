using System.Globalization;
using Lifeboat.Engine.Errors;
using Lifeboat.EngineTests.Sources.Postgres;
using Lifeboat.Tests.Shared;
using Npgsql;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>An application that writes a row, then the file that the row names, all the time; and what a snapshot has of both.</summary>
public sealed class ReferencesTests
{
    private static readonly TimeSpan s_betweenRows = TimeSpan.FromMilliseconds(20);

    /// <summary>Between a row and its file: as an application takes that stores an upload.</summary>
    private static readonly TimeSpan s_beforeFile = TimeSpan.FromMilliseconds(300);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("postgres")]
    [InlineData("sqlite")]
    public async Task Every_captured_row_has_its_file_while_the_application_writes_rows_and_then_files(string kind)
    {
        using TemporaryFolder folder = new();
        await using PostgresServer? server = kind == "postgres" ? await PostgresServer.StartAsync() : null;
        MakeApp(folder, server);
        using CancellationTokenSource enough = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
#pragma warning disable CA2025 // it is awaited before the server is stopped
        Task writing = WriteAsync(folder, server, enough.Token);
#pragma warning restore CA2025
        try
        {
            for (int round = 0; round < 3; round++)
            {
                do
                    await Task.Delay(500, Cancellation);
                while (Directory.GetFiles(folder["app/files"], "*", SearchOption.AllDirectories).Length <= 20);
                ProgramRun backup = await Task.Run(() => LifeboatProgram.Run(folder["app"], "backup", "--json"), Cancellation);
                Assert.True(backup.ExitStatus == 3, backup.All); // not encrypted
                Assert.DoesNotContain(ErrorCodes.ReferredFileMissing.Id, backup.All, StringComparison.Ordinal);
                string to = folder[$"restored{round}"];
                ProgramRun restore = await Task.Run(
                    () => LifeboatProgram.Run(
                        folder["app"], "restore", "latest", "--yes", "--target", $"files={to}",
                        "--target", server is null ? $"main={to}.db" : $"main={server.SocketUrl($"restored{round}")}"),
                    Cancellation);
                Assert.True(restore.ExitStatus is 0 or 3, restore.All);
                string[] named = server is null
                    ? LifeboatProgram.Shell(folder.Path, $"sqlite3 '{to}.db' 'SELECT path FROM upload'").Split('\n', StringSplitOptions.RemoveEmptyEntries)
                    : server.Sql($"restored{round}", "SELECT path FROM upload").Split('\n', StringSplitOptions.RemoveEmptyEntries);
                Assert.True(named.Length > 10, backup.All);
                Assert.All(named, name => Assert.True(File.Exists(Path.Combine(to, name)), name));
                LifeboatProgram.Run(folder["app"], "discard", "--yes");
            }
        }
        finally
        {
            await enough.CancelAsync();
            await EndedAsync(writing);
        }
    }

    [Fact]
    public async Task A_file_that_is_missing_is_a_warning_that_names_it_and_the_width_is_told()
    {
        using TemporaryFolder folder = new();
        MakeApp(folder, null);
        LifeboatProgram.Shell(
            folder.Path, "sqlite3 app/app.db \"INSERT INTO upload VALUES ('0/there'), ('0/gone'), (''), (NULL), ('../outside'), ('$PWD/app/files/0/there')\"; echo x > app/files/0/there");
        ProgramRun backup = await Task.Run(() => LifeboatProgram.Run(folder["app"], "backup"), Cancellation);
        Assert.Equal(3, backup.ExitStatus);
        string said = string.Join(' ', backup.All.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("2 files that main/upload.path names are not in the snapshot: ../outside, 0/gone", said, StringComparison.Ordinal);
        Assert.Contains("states are at most", said, StringComparison.Ordinal);
        ProgramRun json = await Task.Run(() => LifeboatProgram.Run(folder["app"], "backup", "--json"), Cancellation);
        Assert.True(json.Messages[^1].GetProperty("cut_width_seconds").GetDouble() >= 0);
    }

    [Fact]
    public async Task A_column_that_is_not_there_is_an_error()
    {
        using TemporaryFolder folder = new();
        MakeApp(folder, null);
        LifeboatProgram.Shell(folder.Path, "sed -i s/upload.path/upload.no/ app/lifeboat.yaml");
        ProgramRun backup = await Task.Run(() => LifeboatProgram.Run(folder["app"], "backup"), Cancellation);
        Assert.Equal(1, backup.ExitStatus);
        Assert.Contains(ErrorCodes.ReferenceUnknown.Id, LifeboatProgram.Run(folder["app"], "backup", "--json").All, StringComparison.Ordinal);
    }

    private static void MakeApp(TemporaryFolder folder, PostgresServer? server)
    {
        Directory.CreateDirectory(folder["app/files/0"]);
        string source = server is null ? "{type: sqlite, path: app.db}" : $"{{type: postgres, url: \"{server.SocketUrl("app")}\"}}";
        string table = server is null ? "upload" : "public.upload";
        File.WriteAllText(folder["app/lifeboat.yaml"], $$"""
            app: uploads
            sources:
              main: {{source}}
              files: {type: files, path: files}
            stores:
              local: {path: ../store}
            encryption: none
            references: [{column: main/{{table}}.path, files: files}]
            """);
        if (server is null)
            LifeboatProgram.Shell(folder["app"], "sqlite3 app.db 'PRAGMA journal_mode = wal; CREATE TABLE upload (path text)'");
        else
            server.Sql("postgres", "CREATE DATABASE app");
        server?.Sql("app", "CREATE TABLE upload (path text)");
    }

    /// <summary>A row, and its file a moment later, 50 times a second; every hundredth in a new folder.</summary>
    private static async Task EndedAsync(Task writing)
    {
        try
        {
            await writing;
        }
        catch (OperationCanceledException)
        {
            // It was told to end.
        }
    }

    private static async Task WriteAsync(TemporaryFolder folder, PostgresServer? server, CancellationToken enough)
    {
        await using NpgsqlConnection? connection = server is null ? null : new NpgsqlConnection(
            $"Host=127.0.0.1;Port={server.Port};Username=postgres;Password={PostgresServer.Password};Database=app;Pooling=false");
        if (connection is not null)
            await connection.OpenAsync(enough);
        for (int i = 0; !enough.IsCancellationRequested; i++)
        {
            string path = string.Create(CultureInfo.InvariantCulture, $"{i / 100}/{i}");
            if (connection is null)
            {
                LifeboatProgram.Shell(folder["app"], $"sqlite3 -cmd '.timeout 5000' app.db \"INSERT INTO upload VALUES ('{path}')\"");
            }
            else
            {
                await using NpgsqlCommand insert = new($"INSERT INTO upload VALUES ('{path}')", connection);
                await insert.ExecuteNonQueryAsync(enough);
            }

            string file = Path.Combine(folder["app/files"], path);
            _ = Task.Run(
                async () =>
                {
                    await Task.Delay(s_beforeFile, CancellationToken.None);
                    Directory.CreateDirectory(Path.GetDirectoryName(file)!);
                    await File.WriteAllTextAsync(file, path, CancellationToken.None);
                },
                CancellationToken.None);
            await Task.Delay(s_betweenRows, enough);
        }
    }
}
