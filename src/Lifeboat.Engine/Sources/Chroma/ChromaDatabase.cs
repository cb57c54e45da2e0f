using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Sqlite;
using SQLitePCL;

namespace Lifeboat.Engine.Sources.Chroma;

/// <summary>Reads what <c>chroma.sqlite3</c> says, of every schema since Chroma 0.4.</summary>
internal sealed class ChromaDatabase(SqliteDatabase database)
{
    private static readonly string[] Tables = ["migrations", "collections", "segments", "embeddings", "embedding_metadata", "embeddings_queue", "max_seq_id"];

    /// <summary>The tables of Chroma's that the database lacks; none where it is Chroma's.</summary>
    public IReadOnlyList<string> MissingTables() => [.. Tables.Where(table => !HasTable(table))];

    /// <summary>The ids of the vector segments that have folders of their own.</summary>
    public IReadOnlySet<string> VectorSegments()
    {
        HashSet<string> ids = new(StringComparer.Ordinal);
        using SqliteRows rows = database.Query("SELECT id FROM segments WHERE scope = 'VECTOR' AND type LIKE '%local-persisted'");
        while (rows.Next())
        {
            if (rows.Text(0) is var id && ChromaNames.IsSegmentId(id))
                ids.Add(id);
        }

        return ids;
    }

    public IReadOnlyDictionary<string, long> Migrations()
    {
        Dictionary<string, long> newest = new(StringComparer.Ordinal);
        using SqliteRows rows = database.Query("SELECT dir, max(version) FROM migrations GROUP BY dir ORDER BY dir");
        while (rows.Next())
            newest.Add(rows.Text(0), rows.Integer(1));
        return newest;
    }

    /// <summary>Which releases of Chroma have these migrations and no newer ones; the number after each is the release that brought it.</summary>
    public static string VersionOf(IReadOnlyDictionary<string, long> migrations) =>
        (migrations.GetValueOrDefault("sysdb"), migrations.GetValueOrDefault("metadb")) switch
        {
            (> 10, _) or (_, > 6) => "later than 1.5",
            (10, 6) => "1.5 or later",
            (10, _) => "1.3 or 1.4",
            (_, 5) => "1.0 to 1.2",
            (_, 4) => "0.5.6 to 0.6",
            ( >= 5, _) => "0.5",
            _ => "0.4",
        };

    /// <summary>All collections, and the records of each as a table: counted, and digested by id, metadata and document.</summary>
    public IReadOnlyList<(ChromaCollection Collection, TableMetadata Records)> Collections()
    {
        List<(ChromaCollection, TableMetadata)> all = [];
        foreach (ChromaCollection collection in ListCollections())
            all.Add((collection, Digest(collection)));
        return all;
    }

    /// <summary>All collections, each with the number of its records.</summary>
    public IReadOnlyList<ChromaCollection> ListCollections()
    {
        // Tenants and databases came in 0.4.15; before that there was one of each.
        string query = HasColumn("collections", "database_id")
            ? "SELECT c.id, c.name, c.dimension, d.tenant_id, d.name FROM collections c LEFT JOIN databases d ON d.id = c.database_id ORDER BY 4, 5, 2, 1"
            : "SELECT c.id, c.name, c.dimension, 'default_tenant', 'default_database' FROM collections c ORDER BY 2, 1";
        List<ChromaCollection> collections = [];
        using SqliteRows rows = database.Query(query);
        while (rows.Next())
        {
            string id = rows.Text(0);
            string? segment = SegmentOf(id, "VECTOR");
            long indexed = segment is null ? 0 : SequenceOf(segment);
            collections.Add(new ChromaCollection(
                rows.Text(3),
                rows.Text(4),
                rows.Text(1),
                id,
                rows.Type(2) == raw.SQLITE_INTEGER ? rows.Integer(2) : null,
                CountRecords(id),
                segment,
                indexed,
                database.Number($"SELECT count(*) FROM embeddings_queue {InQueueAfter(id, indexed)}")));
        }

        return collections;
    }

    private string? SegmentOf(string collection, string scope) =>
        database.Text($"SELECT id FROM segments WHERE collection = {Quoted(collection)} AND scope = '{scope}'") is { Length: > 0 } id ? id : null;

    /// <summary>Until 0.6 the number was a blob of eight bytes, the highest first.</summary>
    private long SequenceOf(string segment)
    {
        using SqliteRows rows = database.Query($"SELECT seq_id FROM max_seq_id WHERE segment_id = {Quoted(segment)}");
        if (!rows.Next())
            return 0;
        return rows.Type(0) == raw.SQLITE_BLOB && rows.Bytes(0) is { Length: 8 } bytes ? BinaryPrimitives.ReadInt64BigEndian(bytes) : rows.Integer(0);
    }

    /// <summary>A topic is <c>persistent://TENANT/NAMESPACE/COLLECTION</c>.</summary>
    private static string InQueueAfter(string collection, long sequence) =>
        string.Create(CultureInfo.InvariantCulture, $"WHERE seq_id > {sequence} AND topic LIKE {Quoted("%/" + collection)}");

    /// <summary>One row for each value of each record: its id, and the value's key and columns.</summary>
    private TableMetadata Digest(ChromaCollection collection)
    {
        TableDigest digest = default;
        string of = RecordsOf(collection.Id);
        long bytes = Add(ref digest, $"SELECT e.embedding_id FROM embeddings e {of}") + Add(ref digest, ValuesOf("embedding_metadata", of));
        if (HasTable("embedding_metadata_array"))
            bytes += Add(ref digest, ValuesOf("embedding_metadata_array", of));
        return new TableMetadata(collection.DisplayName, collection.Records, bytes, digest.ToString(), []);
    }

    /// <summary>
    /// How many records a server answers with: those in the metadata segment, and what the queue makes of them. A server applies an entry to that segment
    /// before it acknowledges it, so the queue has more only of writes that are under way, or of a server that was killed.
    /// </summary>
    private long CountRecords(string collection)
    {
        long count = database.Number($"SELECT count(*) FROM embeddings e {RecordsOf(collection)}");
        Dictionary<string, bool> there = new(StringComparer.Ordinal);
        foreach (QueueEntry entry in QueueAfter(collection, AppliedTo(collection)))
        {
            if (!there.TryGetValue(entry.Id, out bool was))
                was = database.Number($"SELECT count(*) FROM embeddings e {RecordsOf(collection)} AND e.embedding_id = {Quoted(entry.Id)}") > 0;
            bool now = entry.Creates || (was && !entry.Deletes);
            there[entry.Id] = now;
            count += (now ? 1 : 0) - (was ? 1 : 0);
        }

        return count;
    }

    /// <summary>The number of the last entry of the queue that was applied to a collection's records.</summary>
    public long AppliedTo(string collection) => SegmentOf(collection, "METADATA") is { } segment ? SequenceOf(segment) : 0;

    /// <summary>The entries of a collection's queue after a number, in their order.</summary>
    public IEnumerable<QueueEntry> QueueAfter(string collection, long sequence)
    {
        using SqliteRows rows = database.Query($"SELECT seq_id, operation, id FROM embeddings_queue {InQueueAfter(collection, sequence)} ORDER BY seq_id");
        while (rows.Next())
            yield return new QueueEntry(rows.Integer(0), rows.Integer(1), rows.Text(2));
    }

    /// <summary>The ids of the records that are in the metadata segment.</summary>
    public IEnumerable<string> RecordIds(string collection)
    {
        using SqliteRows rows = database.Query($"SELECT e.embedding_id FROM embeddings e {RecordsOf(collection)}");
        while (rows.Next())
            yield return rows.Text(0);
    }

    private string RecordsOf(string collection) => $"WHERE e.segment_id = {Quoted(SegmentOf(collection, "METADATA") ?? "")}";

    private string ValuesOf(string table, string of)
    {
        IEnumerable<string> columns = ColumnsOf(table).Where(static column => column != "id").Select(static column => "m." + column);
        return $"SELECT e.embedding_id, {string.Join(", ", columns)} FROM embeddings e JOIN {table} m ON m.id = e.id {of}";
    }

    private long Add(ref TableDigest digest, string query)
    {
        SqliteRow row = new();
        long bytes = 0;
        using SqliteRows rows = database.Query(query);
        while (rows.Next())
        {
            row.Read(rows);
            digest.Add(row.Bytes);
            bytes += row.Bytes.Length;
        }

        return bytes;
    }

    private bool HasTable(string name) =>
        database.Number($"SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = {Quoted(name)}") > 0;

    private bool HasColumn(string table, string column) => ColumnsOf(table).Contains(column);

    private List<string> ColumnsOf(string table)
    {
        List<string> columns = [];
        using SqliteRows rows = database.Query($"PRAGMA table_info({table})");
        while (rows.Next())
            columns.Add(rows.Text(1));
        return columns;
    }

    private static string Quoted(string text) => new StringBuilder("'").Append(text.Replace("'", "''", StringComparison.Ordinal)).Append('\'').ToString();
}

/// <summary>One entry of the write-ahead queue.</summary>
/// <param name="Operation">0 adds, 1 updates, 2 upserts, 3 deletes.</param>
internal sealed record QueueEntry(long Sequence, long Operation, string Id)
{
    public bool Creates => Operation is 0 or 2;

    public bool Deletes => Operation == 3;
}
