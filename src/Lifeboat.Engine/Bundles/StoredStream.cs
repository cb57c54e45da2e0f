using System.Buffers;

namespace Lifeboat.Engine.Bundles;

/// <summary>An entry's compressed bytes: read from the bundle, authenticated and decrypted.</summary>
internal sealed class StoredStream : ReadOnlyStream
{
    private readonly BundleFile _file;
    private readonly BundleEntry _entry;
    private readonly EntryCipher? _cipher;
    private long _offset;
    private long _left;

    /// <param name="keys">For an encrypted entry, already verified.</param>
    /// <param name="dataOffset">See <see cref="LocalHeader.Check"/>.</param>
    public StoredStream(BundleFile file, BundleEntry entry, EntryKeys? keys, long dataOffset)
    {
        _file = file;
        _entry = entry;
        _cipher = keys is null ? null : new EntryCipher(keys);
        _offset = dataOffset + (keys is null ? 0 : EntryKeys.SaltBytes + EntryKeys.VerifierBytes);
        _left = entry.CompressedBytes;
    }

    public override int Read(Span<byte> buffer)
    {
        int count = ReadRaw(buffer);
        _cipher?.Decrypt(buffer[..count]);
        return count;
    }

    /// <summary>To be called once all was read: is it what was written?</summary>
    public void CheckEnd()
    {
        if (_left > 0)
            throw BundleProblems.Damaged("there are bytes after the end of an entry's data", _entry.Path);
        if (_cipher is null)
            return;
        Span<byte> code = stackalloc byte[EntryKeys.CodeBytes];
        _file.ReadExactly(_offset, code);
        if (!_cipher.Matches(code))
            throw BundleProblems.Damaged("an entry's authentication code does not match its bytes", _entry.Path);
    }

    /// <summary>Reads and authenticates all of it without decrypting.</summary>
    public void Authenticate(CancellationToken cancellation)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(_left, 1, 256 * 1024));
        try
        {
            while (_left > 0)
            {
                cancellation.ThrowIfCancellationRequested();
                int count = ReadRaw(buffer);
                _cipher?.Authenticate(buffer.AsSpan(0, count));
            }

            CheckEnd();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _cipher?.Dispose();
        base.Dispose(disposing);
    }

    private int ReadRaw(Span<byte> buffer)
    {
        int wanted = (int)Math.Min(buffer.Length, _left);
        if (wanted == 0)
            return 0;
        int count = _file.Read(_offset, buffer[..wanted]);
        if (count == 0)
            throw BundleProblems.Damaged("the file ends too early", _entry.Path);
        _offset += count;
        _left -= count;
        return count;
    }
}
