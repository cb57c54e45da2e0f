using System.Globalization;
using System.Text;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Engine.Sources.Chroma;

/// <summary>
/// Compares a collection's records with the vectors that a server will have for them: those in the index, and what the queue makes of these. Only ids
/// in the queue are held; all others are summed up, so memory does not grow with the collection.
/// </summary>
internal static class IndexComparison
{
    /// <summary>How the two differ; null where each record has its vector and each vector its record.</summary>
    /// <param name="indexed">The ids in the index.</param>
    public static string? Difference(ChromaDatabase database, ChromaCollection collection, IEnumerable<string> indexed)
    {
        long applied = database.AppliedTo(collection.Id);
        long after = Math.Min(applied, collection.IndexedTo);
        HashSet<string> queued = [.. database.QueueAfter(collection.Id, after).Select(static entry => entry.Id)];
        Ids vectors = new(queued, indexed);
        Ids records = new(queued, database.RecordIds(collection.Id));
        foreach (QueueEntry entry in database.QueueAfter(collection.Id, after))
        {
            if (entry.Sequence > collection.IndexedTo)
                vectors.Apply(entry);
            if (entry.Sequence > applied)
                records.Apply(entry);
        }

        return vectors.Equals(records)
            ? null
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{collection.DisplayName} has {records.Count} records, and index and queue have vectors for {vectors.Count} ids{(records.Count == vectors.Count ? ", which are others" : "")}");
    }

    /// <summary>A set of ids.</summary>
    private sealed class Ids
    {
        private readonly HashSet<string> _queued = [];
        private TableDigest _others;

        public Ids(HashSet<string> queued, IEnumerable<string> ids)
        {
            foreach (string id in ids)
            {
                if (queued.Contains(id))
                    _queued.Add(id);
                else
                    _others.Add(Encoding.UTF8.GetBytes(id));
            }
        }

        public long Count => _others.Rows + _queued.Count;

        public void Apply(QueueEntry entry)
        {
            if (entry.Creates)
                _queued.Add(entry.Id);
            else if (entry.Deletes)
                _queued.Remove(entry.Id);
        }

        public bool Equals(Ids other) => _others == other._others && _queued.SetEquals(other._queued);
    }
}
