using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Sqlite;

namespace Lifeboat.Engine.Sources.Chroma;

/// <summary>What a <c>chroma.sqlite3</c> that nobody changes holds.</summary>
internal sealed record DatabaseContents(
    IReadOnlyDictionary<string, long> Migrations, IReadOnlyList<(ChromaCollection Collection, TableMetadata Records)> Collections, string Integrity)
{
    /// <summary>What is wrong with collections.</summary>
    public IReadOnlyList<string> Differences { get; private init; } = [];

    /// <param name="compare">Asked of each collection what is wrong with it; null where nobody asks.</param>
    /// <exception cref="SqliteFailure">It cannot be read.</exception>
    public static DatabaseContents Read(
        string path, CancellationToken cancellation, Func<ChromaDatabase, ChromaCollection, string?>? compare = null)
    {
        using SqliteDatabase file = SqliteDatabase.OpenUnchanging(path);
        using CancellationTokenRegistration stop = cancellation.Register(file.Interrupt);
        try
        {
            ChromaDatabase database = new(file);
            DatabaseContents contents = new(database.Migrations(), database.Collections(), SqliteInspection.CheckIntegrity(file));
            return compare is null ? contents : contents with
            {
                Differences = [.. contents.Collections.Select(one => compare(database, one.Collection)).OfType<string>()],
            };
        }
        catch (SqliteFailure) when (cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellation);
        }
    }
}
