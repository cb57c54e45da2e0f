using System.Globalization;
using Lifeboat.EngineTests.Sources.Postgres;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>Whether a sample app's stores are the same, by what stock tools say of them.</summary>
internal static class Same
{
    /// <param name="except">Options of pg_dump that leave out rows which were written meanwhile.</param>
    public static void Database(PostgresServer original, PostgresServer restored, params string[] except)
    {
        Assert.Equal(Lines(original.Dump("shop", "--schema-only", "--create")), Lines(restored.Dump("shop", "--schema-only", "--create")));
        string[] expected = Rows(original, except);
        Assert.True(expected.Length > 5_000, "there are more rows than this");
        Assert.Equal(expected, Rows(restored, except));
        Assert.Equal(Roles(original), Roles(restored));
    }

    /// <summary>A role's password lets it in, and it may do what it could.</summary>
    public static void LogsIn(PostgresServer server, string database, string role, string password, string sql) => LifeboatProgram.Shell(
        "/",
        $"""
        PGPASSWORD=$(cat) {server.Bin}/psql -X -q -v ON_ERROR_STOP=1 -d 'postgresql://{role}@127.0.0.1:{server.Port}/{database}' -c '{sql}'
        """,
        password);

    /// <summary>Names, contents, kinds, modes, owners, links and times.</summary>
    public static void Tree(string original, string restored)
    {
        Assert.Equal("", LifeboatProgram.Shell(original, $"diff -r --no-dereference . '{restored}'"));
        Assert.Equal(Listing(original), Listing(restored));
        Assert.True(int.Parse(LifeboatProgram.Shell(restored, "find . -type f -printf x | wc -c").Trim(), CultureInfo.InvariantCulture) > 50);
    }

    private static string Listing(string tree) => LifeboatProgram.Shell(
        tree, "find . -printf '%p %y %m %U:%G %n %T@ %l\\n' | LC_ALL=C sort | sha256sum; find . -printf x | wc -c");

    /// <summary>A dump's lines without what differs from run to run.</summary>
    public static string[] Lines(string dump) => [.. dump.Split('\n').Where(static line =>
        !line.StartsWith("\\restrict", StringComparison.Ordinal) && !line.StartsWith("\\unrestrict", StringComparison.Ordinal))];

    private static string[] Rows(PostgresServer server, string[] except) =>
        [.. Lines(server.Dump("shop", ["--data-only", .. except])).Order(StringComparer.Ordinal)];

    private static IEnumerable<string> Roles(PostgresServer server) =>
        Lines(server.RunClient("pg_dumpall", "--roles-only", "-d", server.SocketUrl("postgres")))
            .Where(static line => line.Contains("shop_", StringComparison.Ordinal));
}
