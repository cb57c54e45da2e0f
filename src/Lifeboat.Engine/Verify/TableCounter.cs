using System.Buffers;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Engine.Verify;

/// <summary>Counts and digests a table's rows from its dump, a row a line.</summary>
internal static class TableCounter
{
    private const int BufferBytes = 1 << 18;

    /// <exception cref="Errors.LifeboatException">A file of the dump is damaged.</exception>
    public static async Task<TableMetadata> CountAsync(VerifiedSnapshot snapshot, TableMetadata table, Action<int> onBytes, CancellationToken cancellation)
    {
        TableDigest digest = default;
        long bytes = 0;
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            foreach (string path in table.Paths)
            {
                RowDigester rows = new();
                await using Stream stream = snapshot.Open(path);
                while (await stream.ReadAsync(buffer.AsMemory(0, BufferBytes), cancellation) is var count and > 0)
                {
                    rows.Append(buffer.AsSpan(0, count));
                    bytes += count;
                    onBytes(count);
                }

                digest.Add(rows.Finish());
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return table with { Rows = digest.Rows, Bytes = bytes, Digest = digest.ToString() };
    }
}
