using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Sqlite;

namespace Lifeboat.Engine.Sources.Chroma;

/// <summary>What a <c>chroma.sqlite3</c> that nobody changes holds.</summary>
internal sealed record DatabaseContents(
    IReadOnlyDictionary<string, long> Migrations, IReadOnlyList<(ChromaCollection Collection, TableMetadata Records)> Collections, string Integrity)
{
    /// <exception cref="SqliteFailure">It cannot be read.</exception>
    public static DatabaseContents Read(string path, CancellationToken cancellation)
    {
        using SqliteDatabase file = SqliteDatabase.OpenUnchanging(path);
        using CancellationTokenRegistration stop = cancellation.Register(file.Interrupt);
        try
        {
            ChromaDatabase database = new(file);
            return new DatabaseContents(database.Migrations(), database.Collections(), SqliteInspection.CheckIntegrity(file));
        }
        catch (SqliteFailure) when (cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellation);
        }
    }
}
