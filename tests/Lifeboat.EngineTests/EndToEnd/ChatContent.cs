using Lifeboat.EngineTests.Sources.MySql;
using Lifeboat.EngineTests.Sources.Postgres;
using Lifeboat.Samples;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>The sample app's servers, and all that is in its stores as stock tools tell it.</summary>
internal sealed record ChatContent(PostgresServer Postgres, MariaDbServer MariaDb) : IAsyncDisposable
{
    public ChatServers Servers => new(Postgres.SocketFolder, Postgres.Port, MariaDb.Socket);

    /// <summary>Servers with nothing on them.</summary>
    public static async Task<ChatContent> StartAsync()
    {
        PostgresServer postgres = await PostgresServer.StartAsync();
        return new ChatContent(postgres, await MariaDbServer.StartAsync());
    }

    /// <summary>What must be the same before and after, by what it is of.</summary>
    /// <param name="folder">The app's folder, or one with the same names in it.</param>
    public IEnumerable<(string Of, string Content)> Read(string folder)
    {
        foreach (string database in (string[])["chat", "memory"])
        {
            yield return ($"schema of {database}", Text(Postgres.Dump(database, "--schema-only", "--create")));
            yield return ($"rows of {database}", string.Join('\n', Same.Lines(Postgres.Dump(database, "--data-only")).Order(StringComparer.Ordinal)));
        }

        yield return ("roles", Text(Postgres.RunClient("pg_dumpall", "--roles-only", "-d", Postgres.SocketUrl("postgres"))));
        yield return ("shop", MariaDb.Dump("shop"));
        yield return ("accounts", MariaDb.Accounts());
        yield return ("state", LifeboatProgram.Shell(folder, "sqlite3 -readonly data/state.db .dump"));
        yield return ("files", LifeboatProgram.Shell(
            folder, "find filestore -printf '%p %y %m %U:%G %n %T@ %l\\n' | LC_ALL=C sort; find filestore -type f -print0 | LC_ALL=C sort -z | xargs -0 sha1sum"));
        yield return ("settings", LifeboatProgram.Shell(
            folder, $"for f in {string.Join(' ', ChatApp.Settings)}; do find $f -printf '%p %m %U:%G %T@\\n'; cat $f; done"));
    }

    /// <summary>Names that a restore gives to what it builds or keeps, and that nothing may have when it failed.</summary>
    public string Leftovers(string folder) =>
        Postgres.Sql("postgres", "SELECT datname FROM pg_database WHERE datname LIKE '%\\_\\_%'") + MariaDb.Sql("SHOW DATABASES LIKE '%\\_\\_%'")
        + LifeboatProgram.Shell(folder, "find . -name '*__staging_*' -o -name '*__before_*'");

    public async ValueTask DisposeAsync()
    {
        await MariaDb.DisposeAsync();
        await Postgres.DisposeAsync();
    }

    private static string Text(string dump) => string.Join('\n', Same.Lines(dump));
}
