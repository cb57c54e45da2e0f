using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Postgres;

/// <summary>
/// Snapshots that somebody altered who can fix all checksums: refused before anything of them is run, by psql here or by the server. What would be run leaves a file.
/// </summary>
public sealed class HostileBundleTests(PostgresServer server) : IClassFixture<PostgresServer>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nothing_of_a_hostile_snapshot_is_run_and_the_honest_one_is_restored()
    {
        using RestoreBench bench = new();
        string witness = bench.SnapshotFile("../temp/pwned");
        Directory.CreateDirectory(bench.SnapshotFile("../temp"));
        LetTheServerWrite(bench.SnapshotFile("../temp"));
        RestoreBench.CreateShop(server);
        server.Sql("shop", "ALTER EVENT TRIGGER refuse DISABLE");
        server.Sql("shop", "CREATE FUNCTION app.padded() RETURNS int LANGUAGE sql AS 'SELECT 1 /* " + new string('x', 300) + " */'", "shop_owner");
        server.Sql("shop", "ALTER EVENT TRIGGER refuse ENABLE ALWAYS");
        await (await bench.CaptureAsync(server, "shop")).DisposeAsync();
        string[] psql =
        [
            $"CREATE ROLE helper7 \\! touch {witness}\n;", $"\\! touch {witness}", $"CREATE ROLE helper7 \\g |touch {witness}\n", $"COPY (SELECT 1) TO PROGRAM 'touch {witness}';",
            $"DO $$ BEGIN COPY (SELECT 1) TO PROGRAM 'touch {witness}'; END $$;", $"COMMENT ON ROLE shop_ro IS E'a'\n'\\' , ' \\! touch {witness} --';",
            $"COMMENT ON ROLE shop_ro IS 1$$ ' $$ \\! touch {witness} -- ';", $"-- a\r \\! touch {witness}\n", $"ALTER ROLE shop_ro SET work_mem TO 'a\0\n' \\! touch {witness}\n;",
            $"CREATE ROLE a\u00a0$$ \\! touch {witness} $$;", "CREATE ROLE helper7 SUPERUSER LOGIN PASSWORD 'x';", $"COPY pg_catalog.pg_authid FROM PROGRAM 'touch {witness}';",
        ];
        // Of the schema's text a few, because each costs a plan; the unit tests have them all for both files.
        foreach ((string file, IEnumerable<string> some) in ((string, IEnumerable<string>)[])[("databases/main/globals.sql", psql), ("databases/main/schema.sql", psql.Take(4))])
            foreach (string hostile in some)
                await RefusedAsync(bench, file, bytes => [.. bytes, .. Encoding.UTF8.GetBytes("\n" + hostile + "\n")], witness);
        foreach (string hostile in (string[])
            [$"COPY pg_catalog.pg_authid TO PROGRAM 'touch {witness}';", $"DO $$ BEGIN COPY (SELECT 1) TO PROGRAM 'touch {witness}'; END $$;", $"\\! touch {witness}\n", $"SELECT 1; \\! touch {witness}\n"])
            await RefusedAsync(bench, "databases/main/schema.dump", bytes => InTheDump(bytes, hostile), witness);

        foreach (Action<JsonNode> alter in (Action<JsonNode>[])
        [
            static details => details["server_encoding"] = "UTF8') TO PROGRAM 'touch /tmp/x' --",
            static details => details["database"]!["locale_provider"] = "libc LC_COLLATE = 'C'; SELECT 1",
            static details => details["database"]!["acl"]![0]!["privilege"] = "ALL ON DATABASE postgres TO PUBLIC; --",
            static details => details["tables"]![0]!["where"] = "WHERE pg_read_file('x') = ''",
            static details => details["extensions"]![0]!["object_ids"] = JsonNode.Parse("""[{"id": "1", "type": "regclass::oid; --", "name": "x"}]"""),
            static details => details["tables"] = null,
        ])
            await RefusedAsync(bench, alter, witness);

        await using VerifiedSnapshot honest = await bench.RefinishAsync();
        await bench.RestoreAsync(honest, server, "copy");
        RestoreBench.AssertSameDump(server, "shop", server, "copy");
        Assert.False(File.Exists(witness));
    }

    /// <summary>A table's constraint runs while rows are loaded, and may have the session read quotes in another way from then on.</summary>
    [Theory]
    [InlineData("client_encoding", "SJIS", false)]
    [InlineData("standard_conforming_strings", "off", true)]
    public async Task A_function_of_the_database_does_not_change_how_our_statements_are_read(string setting, string value, bool goesOn)
    {
        await using PsqlSession session = await PsqlSession.OpenAsync(
            PostgresTools.Newest(await PostgresTools.FindAsync(new TestHost(Path.GetTempPath()).Context, server.Bin, [], Cancellation)),
            await PostgresConnection.FromAsync(server.Settings("postgres"), new NoSecrets(), Cancellation), Cancellation);
        string evil = $"SELECT pg_catalog.set_config('{setting}', '{value}', false)";
        if (goesOn)
        {
            await session.QueryAsync(evil, Cancellation);
            Assert.Equal(@"a\", await session.QueryOneAsync(@"SELECT 'a\'", Cancellation));
            return;
        }

        LifeboatException changed = await Assert.ThrowsAsync<LifeboatException>(() => session.QueryAsync(evil, Cancellation));
        Assert.Equal(ErrorCodes.PostgresSessionChanged, changed.Code);
        await Assert.ThrowsAsync<LifeboatException>(() => session.QueryAsync("SELECT 1", Cancellation));
    }

    /// <summary>Names in the metadata become identifiers and literals: they may hold whatever a name can, and end nowhere.</summary>
    [Theory]
    [InlineData("a\uff07; \uff3c! touch pwned")]
    [InlineData("a\0b")]
    [InlineData("it's \"quoted\" \\ and :named")]
    public async Task A_name_is_a_name(string name)
    {
        await using PsqlSession session = await PsqlSession.OpenAsync(
            PostgresTools.Newest(await PostgresTools.FindAsync(new TestHost(Path.GetTempPath()).Context, server.Bin, [], Cancellation)),
            await PostgresConnection.FromAsync(server.Settings("postgres"), new NoSecrets(), Cancellation), Cancellation);
        Task<string?> ask() => session.QueryOneAsync($"SELECT {Engine.Sources.Postgres.Sql.SqlText.Literal(name)} AS {Engine.Sources.Postgres.Sql.SqlText.Identifier(name)}", Cancellation);
        if (name.Contains('\0', StringComparison.Ordinal))
            Assert.Equal(ErrorCodes.PostgresNotADump, (await Assert.ThrowsAsync<LifeboatException>(ask)).Code);
        else
            Assert.Equal(name, await ask());
    }

    private async Task RefusedAsync(RestoreBench bench, string file, Func<byte[], byte[]> alter, string witness)
    {
        string path = bench.SnapshotFile(file);
        byte[] honest = await File.ReadAllBytesAsync(path, Cancellation);
        await File.WriteAllBytesAsync(path, alter(honest), Cancellation);
        try
        {
            await using VerifiedSnapshot snapshot = await bench.RefinishAsync();
            await RefusedAsync(bench, snapshot, file, witness, ErrorCodes.PostgresNotADump);
        }
        finally
        {
            await File.WriteAllBytesAsync(path, honest, Cancellation);
        }
    }

    private async Task RefusedAsync(RestoreBench bench, Action<JsonNode> alter, string witness)
    {
        JsonNode details = JsonNode.Parse(bench.Captured.Details!.Value.GetRawText())!;
        alter(details);
        SourceMetadata altered = bench.Captured with { Details = JsonSerializer.SerializeToElement(details) };
        await using VerifiedSnapshot snapshot = await bench.Snapshot.FinishAsync(altered);
        await RefusedAsync(bench, snapshot, details.ToJsonString()[..60], witness, ErrorCodes.BundleDamaged);
    }

    private async Task RefusedAsync(RestoreBench bench, VerifiedSnapshot snapshot, string what, string witness, ErrorCode code)
    {
        string[] before = [.. RestoreBench.Databases(server), .. RestoreBench.Roles(server)];
        await using IRestoration restoration = bench.Restoration(snapshot, server, "hostile");
        RestorePlan plan = await restoration.PlanAsync(Cancellation);
        Assert.True(plan.Blockers.Any(blocker => blocker.Code == code), $"{what}: {string.Join('\n', plan.Blockers)}");
        await Assert.ThrowsAsync<LifeboatException>(() => restoration.StageAsync(Cancellation));
        Assert.False(File.Exists(witness), what);
        Assert.Equal(before, (string[])[.. RestoreBench.Databases(server), .. RestoreBench.Roles(server)]);
    }

    /// <summary>Puts a statement in the place of a definition, which has the same length then: the archive's lengths still fit.</summary>
    private static byte[] InTheDump(byte[] dump, string statement)
    {
        byte[] begin = "CREATE FUNCTION app.padded() RETURNS integer"u8.ToArray();
        int at = dump.AsSpan().IndexOf(begin);
        int length = dump.AsSpan(at).IndexOf(" */'"u8) > 0 ? dump.AsSpan(at).IndexOf(" */'"u8) + 4 : dump.AsSpan(at).IndexOf(" */$"u8) + 4;
        byte[] hostile = Encoding.UTF8.GetBytes(statement.PadRight(length));
        Assert.True(at > 0 && hostile.Length == length, "the statement is too long");
        byte[] altered = [.. dump];
        hostile.CopyTo(altered, at);
        return altered;
    }

    private static void LetTheServerWrite(string folder)
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder, (UnixFileMode)0b111_111_111);
    }
}
