using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Postgres.Restore;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.EngineTests.Sources.Postgres;

/// <summary>
/// Definitions that PostgreSQL writes in another way when it has read what it wrote: each is right, and is restored, and its restored form is restored again. Whatever is really another
/// definition is told all the same.
/// </summary>
public sealed class ReloadedDefinitionTests(TwoServers servers) : IClassFixture<TwoServers>, IDisposable
{
    private const string Reloaded = "reloaded-definitions", Applications = "application-schemas";

    private readonly RestoreBench _bench = new();

    private PostgresServer Source => servers.Source;

    private PostgresServer Target => servers.Target;

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData(Reloaded, 50)]
    [InlineData(Applications, 15)]
    public async Task What_is_written_in_another_way_after_a_reload_is_restored_twice_over(string fixture, int differing)
    {
        string database = fixture + " twice";
        CreateFixture(Source, fixture, database);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(Source, database);

        await _bench.RestoreAsync(snapshot, Target, database);
        await AssertRestoresAgainAsync(Target, database);

        AssertNothingIsWarnedOf(_bench);
        Assert.InRange(Statements(Source, database).Except(Statements(Target, database), StringComparer.Ordinal).Count(), differing, int.MaxValue);
        Assert.Equal(Rows(Source, Source, database), Rows(Target, Target, database));
        Assert.DoesNotContain(RestoreBench.Databases(Target), static name => name.Contains("__reference_", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("trixie", 17)]
    [InlineData("sid", 18)]
    public async Task It_is_restored_on_newer_servers_as_well_and_from_one_of_them_to_another(string suite, int major)
    {
        await using PostgresServer newer = PostgresServer.InChroot(suite, major);
        await newer.InitializeAsync();
        foreach (string fixture in (string[])[Reloaded, Applications])
        {
            string database = $"{fixture} for {suite}";
            CreateFixture(Source, fixture, database);
            CreateFixture(newer, fixture, "its own " + fixture);
            using RestoreBench bench = new(), own = new();
            await using VerifiedSnapshot snapshot = await bench.CaptureAsync(Source, database), itsOwn = await own.CaptureAsync(newer, "its own " + fixture);

            await bench.RestoreAsync(snapshot, newer, database);
            await own.RestoreAsync(itsOwn, newer, "its own restored " + fixture);
            await AssertRestoresAgainAsync(newer, database);

            AssertNothingIsWarnedOf(bench);
            AssertNothingIsWarnedOf(own);
            Assert.Equal(Rows(newer, Source, database), Rows(newer, newer, database));
        }
    }

    [Fact]
    public async Task A_view_that_selects_from_itself_is_told_at_the_backup()
    {
        Source.CreateDatabase("itself");
        Source.Sql("itself", "CREATE VIEW fine AS SELECT 1 AS a; CREATE VIEW \"it self\" AS SELECT 1 AS a; CREATE OR REPLACE VIEW \"it self\" AS SELECT a FROM \"it self\"");

        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(Source, "itself");

        Problem warning = Assert.Single(_bench.Host.Warnings);
        Assert.Equal(ErrorCodes.PostgresNotRestorable, warning.Code);
        Assert.Contains("view public.\"it self\"", warning.Message);
    }

    /// <summary>pg_dump and pg_restore do not bring this database back.</summary>
    [Fact]
    public async Task Definitions_that_need_the_databases_own_path_or_other_rows_are_restored()
    {
        Source.CreateDatabase("own path");
        Source.Sql("own path", OwnPathSql);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(Source, "own path");

        await _bench.RestoreAsync(snapshot, Target, "own path");

        Assert.Empty(_bench.Host.Warnings);
        // The stock pg_dump cannot read the rows, for want of that path.
        Assert.Equal(RestoreBench.Lines(Source.Dump("own path", "--schema-only")), RestoreBench.Lines(Target.Dump("own path", "--schema-only")));
        Assert.Equal("A!|a!", Target.Sql("own path", "SELECT a || '!', g FROM s.computed WHERE a = 'A'").Trim());
    }

    private const string OwnPathSql =
        """
        CREATE SCHEMA s; ALTER DATABASE "own path" SET search_path = s, public; SET search_path = s, public;
        CREATE EXTENSION cube; CREATE EXTENSION earthdistance;
        CREATE TABLE places (id int, lat float8, lng float8); INSERT INTO places SELECT i, i, i FROM generate_series(1, 50) i;
        CREATE INDEX near ON places USING gist (ll_to_earth(lat, lng));
        CREATE FUNCTION norm(s text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT lower(s)';
        CREATE FUNCTION slug(s text) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT norm(s) || '!' $$;
        CREATE FUNCTION slug_too(s text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN norm(s) || '!'; END $$;
        CREATE TABLE computed (a text, g text GENERATED ALWAYS AS (slug(a)) STORED, h text GENERATED ALWAYS AS (slug_too(a)) STORED); INSERT INTO computed VALUES ('A'), ('B');
        CREATE INDEX slugs ON computed (slug(a), slug_too(g)) WHERE slug(a) <> 'x';
        CREATE TABLE z_states (s varchar PRIMARY KEY); INSERT INTO z_states VALUES ('a'), ('b');
        CREATE FUNCTION known(x text) RETURNS boolean STABLE LANGUAGE sql AS 'SELECT EXISTS (SELECT FROM z_states WHERE s = x)';
        CREATE TABLE a_items (s varchar CHECK (known(s))); INSERT INTO a_items VALUES ('a'), ('b');
        CREATE VIEW one AS SELECT 1 AS a; CREATE VIEW two AS SELECT a FROM one; CREATE OR REPLACE VIEW one AS SELECT a FROM two WHERE false;
        """;

    /// <summary>Real texts of a server, of which one token after the other is changed, taken away or doubled.</summary>
    [Theory]
    [InlineData(Reloaded, "mutated")]
    [InlineData("every-object-kind", "every kind")]
    public void Every_token_of_a_restored_definition_counts(string fixture, string database)
    {
        CreateFixture(Source, fixture, database);
        (IReadOnlyList<SqlStatement> captured, IReadOnlyList<SqlStatement> restored) = (Read(Source, database), Read(Reload(database), database));
        SchemaDifferences differences = new SchemaComparison(captured, null, static _ => false).With(restored);
        (SqlStatement Captured, SqlStatement Restored)[] pairs =
            [.. differences.Rewritten, .. SchemaDifferences.Of(captured, restored, ComparableStatement.Of).Same];
        Assert.Equal((0, 0, restored.Count), (differences.Missing.Count, differences.Added.Count, pairs.Length));

        List<string> untold = [];
        foreach ((SqlStatement one, SqlStatement other) in pairs)
        {
            Assert.True(Passes(one, [other], other));
            untold.AddRange(new[] { Array.Empty<SqlStatement>(), [other, other] }.Where(two => Passes(one, two, other)).Select(two => $"{two.Length} times {other.Text}"));
            untold.AddRange(Mutations(other).Select(Parse).OfType<SqlStatement>().Where(changed => Passes(one, [changed], other)).Select(static changed => changed.Text));
        }

        Assert.Empty(untold);
    }

    private static bool Passes(SqlStatement captured, IReadOnlyList<SqlStatement> restored, SqlStatement reference)
    {
        SchemaDifferences found = new SchemaComparison([captured], null, static _ => false).With(restored);
        return found.Missing.Count + found.Added.Count == 0 && SchemaComparison.Unproven(found.Rewritten, [reference]).Count == 0;
    }

    /// <summary>AND for OR and the reverse, another name, word, number, literal or sign, and brackets that are taken away.</summary>
    private static IEnumerable<string> Mutations(SqlStatement statement)
    {
        int start = statement.Tokens[0].Start;
        Stack<SqlToken> open = new();
        foreach (SqlToken token in statement.Tokens)
        {
            (int at, int end) = (token.Start - start, token.Start - start + token.Length);
            string text = statement.Text[at..end];
            if (token.IsSymbol('('))
                open.Push(token);
            else if (token.IsSymbol(')') && open.TryPop(out SqlToken opening) && opening.Start - start is var from)
                yield return $"{statement.Text[..from]} {statement.Text[(from + 1)..at]} {statement.Text[end..]}";
            string changed = token.Kind switch
            {
                SqlTokenKind.Text or SqlTokenKind.Name when text[^1] is '\'' or '"' => $"{text[..^1]}x{text[^1]}",
                SqlTokenKind.Text => text.Replace("$", "$x", StringComparison.Ordinal),
                SqlTokenKind.Word => token.Is("and") ? "OR" : token.Is("or") ? "AND" : text + "x",
                _ => char.IsAsciiDigit(text[0]) ? text + "7" : token.IsSymbol('<') ? ">" : token.IsSymbol('(') || token.IsSymbol(')') || token.IsSymbol(',') ? text : "<",
            };
            if (changed != text)
                yield return statement.Text[..at] + changed + statement.Text[end..];
        }
    }

    /// <summary>Null for what is no statement any more, which a restore refuses to read.</summary>
    private static SqlStatement? Parse(string sql)
    {
        try
        {
            return SqlStatements.Split(sql).First();
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>The database's definitions, run by psql on the other server.</summary>
    private PostgresServer Reload(string database)
    {
        Target.Sql("postgres", "\\set ON_ERROR_STOP off\n" + Source.RunClient("pg_dumpall", "--roles-only", "-d", Source.SocketUrl("postgres"))); // some are there
        Target.CreateDatabase(database);
        Target.Sql(database, Source.RunClient("pg_dump", "--schema-only", "-d", Source.SocketUrl(database)));
        return Target;
    }

    private static IReadOnlyList<SqlStatement> Read(PostgresServer server, string database) =>
        [.. SqlStatements.Split(server.Dump(database, "--schema-only")).Where(static statement => !statement.IsMeta)];

    private static string[] Statements(PostgresServer server, string database) => [.. Read(server, database).Select(static statement => statement.Text)];

    private static string[] Rows(PostgresServer programs, PostgresServer server, string database) =>
        [.. RestoreBench.Lines(programs.DumpFrom(server, database, "--data-only", "--inserts")).Where(static l => !l.StartsWith("--", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    private static async Task AssertRestoresAgainAsync(PostgresServer server, string database)
    {
        using RestoreBench bench = new();
        await using VerifiedSnapshot snapshot = await bench.CaptureAsync(server, database);
        await bench.RestoreAsync(snapshot, server, database + " again");
        RestoreBench.AssertSameDump(server, database, server, database + " again");
    }

    /// <summary>But of a foreign table, whose rows are another server's, and of collations that another operating system has in another version.</summary>
    private static void AssertNothingIsWarnedOf(RestoreBench bench) =>
        Assert.All(bench.Host.Warnings, static w => Assert.True(w.Code == ErrorCodes.PostgresDataLeftOut || w.Code == ErrorCodes.PostgresCollationVersion, w.ToString()));

    private static void CreateFixture(PostgresServer server, string fixture, string database)
    {
        server.CreateDatabase(database);
        server.Sql(database, File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Sources", "Postgres", "Fixtures", fixture + ".sql")));
    }
}
