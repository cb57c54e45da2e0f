using Lifeboat.Engine.Snapshots;

namespace Lifeboat.EngineTests.Sources.MySql;

/// <summary>Every kind of expression comes back as the server printed it, and out of the restored database once more.</summary>
public abstract class DefinitionCorpusTests(MariaDbServer server, string own)
{
    [Fact]
    public async Task All_definitions_are_restored_twice_over()
    {
        server.Sql($"DROP DATABASE IF EXISTS corpus; CREATE DATABASE corpus CHARACTER SET utf8mb4; USE corpus; {DefinitionCorpus.Both}\n{own}");
        using MySqlBench first = new();
        VerifiedSnapshot snapshot = await first.CaptureAsync(server.Own("corpus"));
        Assert.Empty(first.Host.Warnings);
        await first.RestoreAsync(snapshot, server.Own("corpus_once"), "one");
        using MySqlBench second = new();
        await second.RestoreAsync(await second.CaptureAsync(server.Own("corpus_once")), server.Own("corpus_twice"), "two");
        string expected = Normal(server.Dump("corpus"));
        Assert.Equal(expected, Normal(server.Dump("corpus_once")));
        Assert.Equal(expected, Normal(server.Dump("corpus_twice")));
    }

    private static string Normal(string dump) => dump.Replace("corpus_once", "corpus", StringComparison.Ordinal).Replace("corpus_twice", "corpus", StringComparison.Ordinal);
}

/// <inheritdoc/>
public sealed class MariaDbDefinitionCorpusTests(MariaDbServer server) : DefinitionCorpusTests(server, DefinitionCorpus.MariaDb), IClassFixture<MariaDbServer>;

/// <inheritdoc/>
public sealed class OracleMySqlDefinitionCorpusTests(OracleMySqlServer server) : DefinitionCorpusTests(server, DefinitionCorpus.MySql), IClassFixture<OracleMySqlServer>;
