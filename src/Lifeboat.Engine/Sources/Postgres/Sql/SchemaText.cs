using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;

namespace Lifeboat.Engine.Sources.Postgres.Sql;

/// <summary>
/// The text of a schema dump and its digest <c>sha256-schema-v1</c>: SHA-256 of the text without the lines that differ between runs of
/// the same schema (the programs' versions, psql's <c>\restrict</c> keys).
/// </summary>
public static class SchemaText
{
    public const string Algorithm = "sha256-schema-v1";

    /// <summary>
    /// Copies a dump's text without <c>\restrict</c> and <c>\unrestrict</c>, which older psqls refuse, and gives its digest.
    /// </summary>
    /// <param name="text">Takes the text; null for the digest alone.</param>
    public static async Task<string> CopyAsync(Stream dump, Stream? text, CancellationToken cancellation)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        PipeReader reader = PipeReader.Create(dump, new StreamPipeReaderOptions(bufferSize: 64 * 1024, leaveOpen: true));
        PipeWriter? writer = text is null ? null
            : PipeWriter.Create(text, new StreamPipeWriterOptions(minimumBufferSize: 64 * 1024, leaveOpen: true));
        string? key = null; // of \restrict; "" once the header has ended without one
        while (true)
        {
            ReadResult read = await reader.ReadAsync(cancellation);
            ReadOnlySequence<byte> rest = read.Buffer;
            while (rest.PositionOf((byte)'\n') is { } lineFeed)
            {
                SequencePosition next = rest.GetPosition(1, lineFeed);
                TakeLine(rest.Slice(0, next), hash, writer, ref key);
                rest = rest.Slice(next);
            }

            if (read.IsCompleted)
            {
                TakeLine(rest, hash, writer, ref key);
                await reader.CompleteAsync();
                if (writer is not null)
                    await writer.CompleteAsync();
                return $"{Algorithm}:{Convert.ToHexStringLower(hash.GetHashAndReset())}";
            }

            reader.AdvanceTo(rest.Start, rest.End);
            if (writer is not null)
                await writer.FlushAsync(cancellation);
        }
    }

    /// <summary>The same of text that is at hand.</summary>
    public static async Task<(byte[] Text, string Digest)> NormalizeAsync(ReadOnlyMemory<byte> dump, CancellationToken cancellation)
    {
        using MemoryStream text = new();
        using MemoryStream source = new(dump.ToArray());
        string digest = await CopyAsync(source, text, cancellation);
        return (text.ToArray(), digest);
    }

    private static void TakeLine(ReadOnlySequence<byte> line, IncrementalHash hash, PipeWriter? writer, ref string? key)
    {
        if (key is null && StartsWith(line, "\\restrict "u8))
        {
            key = Encoding.ASCII.GetString(line.Slice(10));
            return;
        }

        // The key is long and random, so no line of a function's body is taken for its end.
        if (key is { Length: > 0 } && StartsWith(line, "\\unrestrict "u8) && Encoding.ASCII.GetString(line.Slice(12)) == key)
            return;
        if (key is null && !StartsWith(line, "--"u8) && !StartsWith(line, "\n"u8))
            key = "";
        bool version = StartsWith(line, "-- Dumped "u8);
        foreach (ReadOnlyMemory<byte> piece in line)
        {
            writer?.Write(piece.Span);
            if (!version)
                hash.AppendData(piece.Span);
        }
    }

    private static bool StartsWith(ReadOnlySequence<byte> line, ReadOnlySpan<byte> start)
    {
        if (line.Length < start.Length)
            return false;
        Span<byte> head = stackalloc byte[start.Length];
        line.Slice(0, start.Length).CopyTo(head);
        return head.SequenceEqual(start);
    }
}
