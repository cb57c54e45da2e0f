using System.IO.Hashing;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Engine.Bundles;

/// <summary>Writes entries, one after the other, and the central directory. Forward only; for one thread.</summary>
internal sealed class BundleOutput(Stream output, ushort method, BundleOptions options) : IDisposable
{
    private readonly bool _encrypted = options.Password is not null;
    private readonly byte[] _staging = new byte[256 * 1024];
    private readonly ZipRecordWriter _records = new();
    private readonly List<byte[]> _directory = [];
    private EntryCipher? _cipher;
    private int _staged;
    private long _position;
    private long _entryOffset;
    private long _dataOffset;

    /// <summary>Writes an entry that is completely compressed; its sizes go into its local header.</summary>
    public void WriteWhole(OpenEntry entry)
    {
        long stored = entry.Blocks.Sum(static block => (long)block.CompressedBytes) + (_encrypted ? EntryKeys.Overhead : 0);
        WriteCoverFirst();
        StartEntry(new ZipEntryFields(entry.Header, method, _encrypted, false, entry.Crc, stored, entry.Bytes, 0));
        foreach (EntryBlock block in entry.Blocks)
            WriteBlock(block);
        End(entry, streamed: false);
    }

    /// <summary>Starts an entry whose sizes are not known yet.</summary>
    public void StartStreaming(OpenEntry entry)
    {
        WriteCoverFirst();
        StartEntry(new ZipEntryFields(entry.Header, method, _encrypted, true, 0, 0, 0, 0));
    }

    public void WriteBlock(EntryBlock block)
    {
        if (block is { First: true, Entry.Keys: { } keys })
            StartCipher(keys);
        int left = block.CompressedBytes;
        foreach (byte[] segment in block.Segments)
        {
            Emit(segment.AsSpan(0, Math.Min(left, segment.Length)), _cipher);
            left -= segment.Length;
        }
    }

    public void EndStreaming(OpenEntry entry) => End(entry, streamed: true);

    /// <summary>
    /// Leaves the entry that was being written out of the central directory. What is written of it stays as bytes that nothing refers to.
    /// </summary>
    public void Drop() => EndCipher();

    /// <summary>Writes the central directory and the end records, and hands all to the output.</summary>
    public void Complete()
    {
        WriteCoverFirst();
        long offset = _position;
        foreach (byte[] record in _directory)
            Emit(record);
        long bytes = _position - offset;
        if (bytes > ZipEndRecords.MaxDirectoryBytes)
            throw new InvalidOperationException("the snapshot has too many files for one bundle: its directory would be larger than 1 GiB");
        _records.Clear();
        _records.End(_directory.Count, offset, bytes);
        Emit(_records.Written);
        FlushStaged();
        output.Flush();
    }

    public void Dispose() => EndCipher();

    private void StartEntry(in ZipEntryFields fields)
    {
        _entryOffset = _position;
        _records.Clear();
        _records.LocalHeader(fields);
        Emit(_records.Written);
        _dataOffset = _position;
    }

    private void StartCipher(EntryKeys keys)
    {
        Emit(keys.Salt);
        Emit(keys.Verifier);
        _cipher = new EntryCipher(keys);
    }

    private void End(OpenEntry entry, bool streamed) =>
        End(new ZipEntryFields(entry.Header, method, _encrypted, streamed, entry.Crc, 0, entry.Bytes, _entryOffset));

    private void End(ZipEntryFields fields)
    {
        if (_cipher is not null)
        {
            Span<byte> code = stackalloc byte[EntryKeys.CodeBytes];
            _cipher.Finish(code);
            Emit(code);
            EndCipher();
        }

        fields = fields with { StoredBytes = _position - _dataOffset };
        if (fields.Streamed)
        {
            _records.Clear();
            _records.Descriptor(fields);
            Emit(_records.Written);
        }

        _records.Clear();
        _records.CentralHeader(fields);
        _directory.Add(_records.Written.ToArray());
    }

    private void WriteCoverFirst()
    {
        if (_position > 0)
            return;
        ReadOnlySpan<byte> text =
            "This is a backup made by Lifeboat. restore_instructions.md says how to restore it, with or without Lifeboat.\n"u8;
        Crc32 crc = new();
        if (!_encrypted)
            crc.Append(text);
        EntryHeader header = new(Zip.CoverName, options.Host.Time.GetUtcNow());
        int stored = text.Length + (_encrypted ? EntryKeys.Overhead : 0);
        ZipEntryFields fields = new(header, Zip.Stored, _encrypted, false, crc.GetCurrentHashAsUInt32(), stored, text.Length, 0);
        StartEntry(fields);
        if (options.Password is not null)
            StartCipher(EntryKeys.Create(options.Password, options.Host)[0]);
        Emit(text, _cipher);
        End(fields);
    }

    private void EndCipher()
    {
        _cipher?.Dispose();
        _cipher = null;
    }

    private void Emit(ReadOnlySpan<byte> data, EntryCipher? cipher = null)
    {
        while (data.Length > 0)
        {
            if (_staged == _staging.Length)
                FlushStaged();
            int count = Math.Min(data.Length, _staging.Length - _staged);
            Span<byte> to = _staging.AsSpan(_staged, count);
            if (cipher is null)
                data[..count].CopyTo(to);
            else
                cipher.Encrypt(data[..count], to);
            _staged += count;
            _position += count;
            data = data[count..];
        }
    }

    private void FlushStaged()
    {
        output.Write(_staging, 0, _staged);
        _staged = 0;
    }
}
