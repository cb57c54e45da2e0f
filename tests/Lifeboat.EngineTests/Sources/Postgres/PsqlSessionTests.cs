using System.Text;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Secrets;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Postgres;

public sealed class PsqlSessionTests(PostgresServer server) : IClassFixture<PostgresServer>
{
    private readonly TestHost _host = new(Path.GetTempPath());

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Values_with_every_awkward_character_come_back_as_they_are()
    {
        string awkward = "a'b\"c\\d\te\nf\rg\bh\fi\vj:k:'l' \\! ls ;🛟 \\. \\q $$ -- /* ";
        await using PsqlSession session = await server.SessionAsync(_host.Context, "postgres");
        IReadOnlyList<string?[]> rows = await session.QueryAsync($"SELECT {SqlText.Literal(awkward)}, NULL, '', '\\N'", Cancellation);
        Assert.Equal((string?[])[awkward, null, "", "\\N"], (IEnumerable<string?>)Assert.Single(rows));
        Assert.Equal("postgres", session.Database);
        Assert.Equal("UTF8", session.ServerEncoding);
        Assert.True(session.ServerMajor >= 13);
    }

    [Fact]
    public async Task Names_with_every_awkward_character_can_be_used()
    {
        string name = "t\"q'\\x\n\\! echo hacked\n\\.\n:v 🛟";
        await using PsqlSession session = await server.SessionAsync(_host.Context, "postgres");
        await session.ExecuteAsync($"CREATE TEMP TABLE {SqlText.Identifier(name)} ({SqlText.Identifier(name)} int)", Cancellation);
        await session.ExecuteAsync($"INSERT INTO {SqlText.Identifier(name)} VALUES (42)", Cancellation);
        Assert.Equal(name, await session.QueryOneAsync($"SELECT relname FROM pg_class WHERE relname = {SqlText.Literal(name)}",
            Cancellation));
        Assert.Equal("42", await session.QueryOneAsync($"SELECT {SqlText.Identifier(name)} FROM {SqlText.Identifier(name)}", Cancellation));
    }

    [Fact]
    public async Task A_refused_command_tells_its_sqlstate_and_the_session_goes_on()
    {
        await using PsqlSession session = await server.SessionAsync(_host.Context, "postgres");
        LifeboatException missing = await Assert.ThrowsAsync<LifeboatException>(() =>
            session.QueryAsync("SELECT * FROM nowhere", Cancellation));
        Assert.Equal(PostgresError.UndefinedTable, PostgresError.Of(missing)!.SqlState);
        Assert.Contains("relation \"nowhere\" does not exist", missing.Message, StringComparison.Ordinal);
        LifeboatException earlier = await Assert.ThrowsAsync<LifeboatException>(() =>
            session.ExecuteAsync("SELECT 1/0; CREATE TEMP TABLE later (a int)", Cancellation));
        Assert.Equal("22012", PostgresError.Of(earlier)!.SqlState);
        Assert.Equal("1", await session.QueryOneAsync("SELECT 1", Cancellation));
    }

    [Fact]
    public async Task Rows_copied_out_are_counted_and_digested_whatever_their_length()
    {
        await using PsqlSession session = await server.SessionAsync(_host.Context, "postgres");
        const string query = "COPY (SELECT i, repeat(chr(65 + i % 26), (i * 7919) % 500000) FROM generate_series(1, 60) i "
            + "UNION ALL SELECT 0, '\\!') TO STDOUT";
        using MemoryStream bytes = new();
        CopiedRows copied = await session.CopyOutAsync(query, bytes, null, Cancellation);
        TableDigest expected = default;
        foreach (string line in Encoding.UTF8.GetString(bytes.ToArray()).Split('\n')[..^1])
            expected.Add(Encoding.UTF8.GetBytes(line));
        Assert.Equal(61, expected.Rows);
        Assert.Equal(expected, copied.Digest);
        Assert.Equal(expected.ToString(), copied.Digest.ToString());
        Assert.Equal(bytes.Length, copied.Bytes);
        Assert.Equal("61", await session.QueryOneAsync("SELECT 61", Cancellation));
    }

    [Fact]
    public async Task Rows_that_end_in_an_error_are_an_error()
    {
        await using PsqlSession session = await server.SessionAsync(_host.Context, "postgres");
        foreach (string before in (string[])["", "SAVEPOINT a"])
        {
            await session.ExecuteAsync("BEGIN", Cancellation);
            LifeboatException failure = await Assert.ThrowsAsync<LifeboatException>(() => session.CopyOutAsync(
                "COPY (SELECT 1 / (i - 900) FROM generate_series(1, 1000) i) TO STDOUT", Stream.Null, null, Cancellation, before));
            Assert.Equal("22012", PostgresError.Of(failure)?.SqlState);
            await session.ExecuteAsync("ROLLBACK", Cancellation);
        }

        LifeboatException first = await Assert.ThrowsAsync<LifeboatException>(() => session.QueryOneAsync("SELECT 1 / (i - 1) FROM generate_series(1, 2) i", Cancellation));
        Assert.Equal("22012", PostgresError.Of(first)?.SqlState);
        Assert.Equal("1", await session.QueryOneAsync("SELECT 1", Cancellation));
    }

    [Fact]
    public async Task Rows_copied_in_arrive_and_the_session_goes_on()
    {
        await using PsqlSession session = await server.SessionAsync(_host.Context, "postgres");
        await session.ExecuteAsync("CREATE TEMP TABLE t (a int, b text)", Cancellation);
        long rows = await session.CopyInAsync(
            "COPY pg_temp.t FROM STDIN", async (stream, token) =>
                await stream.WriteAsync("1\tone\\n\n2\t\\\\.\n3\t\\N"u8.ToArray(), token), Cancellation);
        Assert.Equal(3, rows);
        Assert.Equal("one\n|\\.|-",
            await session.QueryOneAsync("SELECT string_agg(coalesce(b, '-'), '|' ORDER BY a) FROM pg_temp.t", Cancellation));
    }

    [Theory]
    [InlineData("COPY nowhere FROM STDIN", "1\n\\! touch /tmp/lifeboat-hacked\n", "42P01")]
    [InlineData("COPY pg_temp.t FROM STDIN", "1\ntwo\n3\n", "22P02")]
    public async Task A_failing_copy_in_tells_why_and_nothing_of_its_data_is_run(string copy, string data, string sqlState)
    {
        File.Delete("/tmp/lifeboat-hacked");
        await using PsqlSession session = await server.SessionAsync(_host.Context, "postgres");
        await session.ExecuteAsync("CREATE TEMP TABLE t (a int)", Cancellation);
        LifeboatException failed = await Assert.ThrowsAsync<LifeboatException>(() => session.CopyInAsync(
            copy,
            async (stream, token) =>
            {
                byte[] bytes = Encoding.UTF8.GetBytes(data);
                await stream.WriteAsync(bytes, token);
                await Task.Delay(200, token);
                for (int i = 0; i < 10_000; i++)
                    await stream.WriteAsync(bytes, token);
            },
            Cancellation));
        Assert.Equal(sqlState, PostgresError.Of(failed)!.SqlState);
        Assert.False(File.Exists("/tmp/lifeboat-hacked"));
    }

    [Theory]
    [InlineData("1\n", "\\.\n")]
    [InlineData("1\n\\", ".\nDROP TABLE x;\n")]
    [InlineData("\\.", "\n")]
    [InlineData("1\n\\.", "\n")]
    public async Task Data_that_would_end_copy_early_is_refused(string first, string second)
    {
        await using PsqlSession session = await server.SessionAsync(_host.Context, "postgres");
        await session.ExecuteAsync("CREATE TEMP TABLE t (a text)", Cancellation);
        LifeboatException refused = await Assert.ThrowsAsync<LifeboatException>(() => session.CopyInAsync(
            "COPY pg_temp.t FROM STDIN",
            async (stream, token) =>
            {
                await stream.WriteAsync(Encoding.UTF8.GetBytes(first), token);
                await stream.WriteAsync(Encoding.UTF8.GetBytes(second), token);
            },
            Cancellation));
        Assert.Equal(ErrorCodes.PostgresCopyDataInvalid, refused.Code);
    }

    [Fact]
    public async Task A_terminated_connection_is_a_clear_error()
    {
        await using PsqlSession session = await server.SessionAsync(_host.Context, "postgres");
        string pid = (await session.QueryOneAsync("SELECT pg_backend_pid()", Cancellation))!;
        Task<CopiedRows> running = session.CopyOutAsync("COPY (SELECT i, pg_sleep(0.001) FROM generate_series(1, 1000000) i) TO STDOUT",
            Stream.Null, null, Cancellation);
        await Task.Delay(200, Cancellation);
        server.Sql("postgres", $"SELECT pg_terminate_backend({pid})");
        LifeboatException lost = await Assert.ThrowsAsync<LifeboatException>(() =>
            running.WaitAsync(TimeSpan.FromSeconds(10), Cancellation));
        Assert.Equal(ErrorCodes.PostgresConnectionLost, lost.Code);
        Assert.Contains("terminat", lost.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelling_ends_a_long_command()
    {
        await using PsqlSession session = await server.SessionAsync(_host.Context, "postgres");
        using CancellationTokenSource cancel = new(300);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            session.QueryAsync("SELECT pg_sleep(600)", cancel.Token).WaitAsync(TimeSpan.FromSeconds(10), Cancellation));
    }

    [Fact]
    public async Task What_cannot_be_connected_to_has_a_code_of_its_own()
    {
        Assert.Equal(ErrorCodes.PostgresDatabaseMissing, await ConnectingFails(server.SocketUrl("nope"), null));
        Assert.Equal(ErrorCodes.PostgresLoginRefused, await ConnectingFails(server.Url("postgres"), "wrong"));
        Assert.Equal(ErrorCodes.PostgresLoginRefused, await ConnectingFails(server.Url("postgres"), null));
        Assert.Equal(ErrorCodes.PostgresLoginRefused, await ConnectingFails(server.SocketUrl("postgres", "nobody"), null));
        Assert.Equal(ErrorCodes.PostgresUnreachable, await ConnectingFails("postgresql://postgres@127.0.0.1:1/postgres", null));
        Assert.Equal(ErrorCodes.PostgresUnreachable, await ConnectingFails("postgresql://postgres@/postgres?host=/nowhere", null));
        Assert.Equal(ErrorCodes.PostgresUrlInvalid, await ConnectingFails("mysql://root@localhost/x", null));
    }

    [Theory]
    [InlineData()]
    [InlineData("env")]
    public async Task The_password_arrives_with_and_without_a_prefix_and_is_in_no_argument(params string[] via)
    {
        PostgresSettings settings = new("main", server.Url("postgres"), null, new SecretReference(SecretScheme.Env, "PW"), via);
        PostgresConnection connection = await PostgresConnection.FromAsync(settings, new GivenSecrets(("PW", PostgresServer.Password)),
            Cancellation);
        await using PsqlSession session = await PsqlSession.OpenAsync(await ToolsAsync(via), connection, Cancellation);
        Assert.Equal("postgres", session.User);
        string listing = string.Join('\n', Directory.GetDirectories("/proc").Select(static p => p + "/cmdline").Where(File.Exists)
            .Select(ReadOrNothing));
        Assert.Contains("lifeboat", listing, StringComparison.Ordinal);
        Assert.DoesNotContain(PostgresServer.Password, listing, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_url_that_is_a_secret_may_hold_the_password()
    {
        string url = server.Url("postgres").Replace("postgres@", $"postgres:{Uri.EscapeDataString(PostgresServer.Password)}@",
            StringComparison.Ordinal);
        PostgresSettings settings = new("main", null, new SecretReference(SecretScheme.Env, "URL"), null, []);
        PostgresConnection connection = await PostgresConnection.FromAsync(settings, new GivenSecrets(("URL", url)), Cancellation);
        Assert.DoesNotContain("s3cret", connection.Uri + connection.Target + connection, StringComparison.Ordinal);
        await using PsqlSession session = await PsqlSession.OpenAsync(await ToolsAsync([]), connection, Cancellation);
        Assert.Equal("postgres", session.User);
    }

    [Fact]
    public async Task A_prefix_reaches_the_server_as_another_user()
    {
        if (Environment.UserName != "root")
            Assert.Skip("only root may become another user");
        string[] via = ["runuser", "-u", "postgres", "--"];
        PostgresConnection connection = await PostgresConnection.FromAsync(server.Settings("postgres", via: via), new NoSecrets(),
            Cancellation);
        await using PsqlSession session = await PsqlSession.OpenAsync(await ToolsAsync(via), connection, Cancellation);
        Assert.Equal("postgres", session.User);
    }

    [Fact]
    public async Task Bytes_that_are_no_text_pass_through_a_SQL_ASCII_database()
    {
        server.CreateDatabase("any bytes", "ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0");
        await using PsqlSession session = await server.SessionAsync(_host.Context, "any bytes");
        await session.ExecuteAsync("CREATE TABLE public.t (\"\u00ff\u0080\" text)", Cancellation);
        await session.ExecuteAsync("INSERT INTO public.t VALUES ('\u00fe\u00c3(')", Cancellation);
        using MemoryStream bytes = new();
        await session.CopyOutAsync("COPY public.t TO STDOUT", bytes, null, Cancellation);
        Assert.Equal([0xFE, 0xC3, (byte)'(', (byte)'\n'], bytes.ToArray());
        Assert.Equal("\u00ff\u0080",
            await session.QueryOneAsync("SELECT attname FROM pg_attribute WHERE attrelid = 'public.t'::regclass AND attnum = 1",
            Cancellation));
    }

    private async Task<ErrorCode> ConnectingFails(string url, string? password)
    {
        SecretReference? reference = password is null ? null : new SecretReference(SecretScheme.Env, "PW");
        LifeboatException failed = await Assert.ThrowsAsync<LifeboatException>(async () =>
        {
            PostgresConnection connection = await PostgresConnection.FromAsync(new("main", url, null, reference, []),
                new GivenSecrets(("PW", password ?? "")), Cancellation);
            await using PsqlSession session = await PsqlSession.OpenAsync(await ToolsAsync([]), connection, Cancellation);
        });
        TestContext.Current.TestOutputHelper!.WriteLine(failed.Message);
        return failed.Code;
    }

    private async Task<PostgresTools> ToolsAsync(string[] via) =>
        (await PostgresTools.FindAsync(_host.Context, server.Bin, via, Cancellation))[0];

    private static string ReadOrNothing(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (IOException)
        {
            return ""; // It ended meanwhile.
        }
    }
}
