using System.IO.Compression;
using System.IO.Hashing;
using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Bundles;

/// <summary>
/// An entry's bytes, never more than its header says, checked at their end: the last bytes are given out only when the authentication
/// code (or the CRC, in a bundle without encryption) was found right.
/// </summary>
internal sealed class EntryReadStream : ReadOnlyStream
{
    private readonly BundleEntry _entry;
    private readonly StoredStream _stored;
    private readonly Stream _content;
    private readonly byte[] _beyond = new byte[1];
    private readonly Crc32 _crc = new();
    private long _left;
    private bool _ended;
    private LifeboatException? _failure;

    /// <inheritdoc cref="StoredStream(BundleFile, BundleEntry, EntryKeys, long)"/>
    public EntryReadStream(BundleFile file, BundleEntry entry, EntryKeys? keys, long dataOffset)
    {
        _entry = entry;
        _left = entry.Listed.Bytes;
        _stored = new StoredStream(file, entry, keys, dataOffset);
        _content = Decompressed(_stored, entry.Method);
    }

    public override int Read(Span<byte> buffer)
    {
        if (_failure is not null)
            throw new LifeboatException(_failure.Problems, _failure);
        if (_ended || buffer.Length == 0)
            return 0;
        try
        {
            return ReadChecked(buffer);
        }
        catch (LifeboatException e)
        {
            _failure = e;
            throw;
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            // What the decompressors throw; the bundle file's own errors are LifeboatExceptions.
            _failure = BundleProblems.Damaged($"an entry cannot be decompressed: {e.Message}", _entry.Path, e);
            throw _failure;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _content.Dispose();
            _stored.Dispose();
        }

        base.Dispose(disposing);
    }

    private static Stream Decompressed(StoredStream stored, ushort method) => method switch
    {
        Zip.Zstandard => Zstandard.Reader(stored),
        Zip.Deflated => new DeflateStream(new BufferedStream(stored, 128 * 1024), CompressionMode.Decompress),
        _ => stored,
    };

    private int ReadChecked(Span<byte> buffer)
    {
        int count = 0;
        if (_left > 0)
        {
            count = _content.Read(buffer[..(int)Math.Min(buffer.Length, _left)]);
            if (count == 0)
                throw BundleProblems.Damaged("an entry is shorter than its header says", _entry.Path);
            _left -= count;
            if (_entry.AesVersion != Zip.AesVersion2)
                _crc.Append(buffer[..count]);
        }

        if (_left == 0)
        {
            CheckEnd();
            _ended = true;
        }

        return count;
    }

    private void CheckEnd()
    {
        if (_content.Read(_beyond) > 0)
            throw BundleProblems.Damaged("an entry is longer than its header says", _entry.Path);
        _stored.CheckEnd();
        if (_entry.AesVersion != Zip.AesVersion2 && _crc.GetCurrentHashAsUInt32() != _entry.Crc)
            throw BundleProblems.Damaged("an entry's CRC does not match its bytes", _entry.Path);
    }
}
