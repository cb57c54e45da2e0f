using System.Buffers.Binary;
using System.Text;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Engine.Bundles;

/// <summary>What the local and the central header of one entry say.</summary>
/// <param name="Method">The compression, also where it is inside the AES extra.</param>
/// <param name="Streamed">Sizes and checksum follow the data, in a descriptor.</param>
internal readonly record struct ZipEntryFields(EntryHeader Header, ushort Method, bool IsEncrypted, bool Streamed, uint Crc,
    long StoredBytes, long Bytes, long Offset);

/// <summary>Composes the records of a ZIP, one after the other in one buffer.</summary>
internal sealed class ZipRecordWriter
{
    private byte[] _buffer = new byte[512];
    private int _length;

    /// <summary>What was composed since the last <see cref="Clear"/>.</summary>
    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    public void Clear() => _length = 0;

    /// <summary>4.3.7. A streamed entry's has a ZIP64 extra, which says that its descriptor's sizes have 8 bytes (4.3.9.2).</summary>
    public void LocalHeader(in ZipEntryFields entry)
    {
        byte[] name = Encoding.UTF8.GetBytes(entry.Header.Path);
        bool zip64 = entry.Streamed || entry.StoredBytes >= Zip.Mask32 || entry.Bytes >= Zip.Mask32;
        UInt32(Zip.LocalHeader);
        Common(entry, name.Length, (zip64 ? 20 : 0) + ExtraBytes(entry), zip64, entry.Streamed);
        Bytes(name);
        if (zip64)
        {
            UInt16(Zip.Zip64Extra);
            UInt16(16);
            UInt64(entry.Streamed ? 0 : (ulong)entry.Bytes);
            UInt64(entry.Streamed ? 0 : (ulong)entry.StoredBytes);
        }

        Extras(entry);
    }

    /// <summary>4.3.9.</summary>
    public void Descriptor(in ZipEntryFields entry)
    {
        UInt32(Zip.DataDescriptor);
        UInt32(entry.Crc);
        UInt64((ulong)entry.StoredBytes);
        UInt64((ulong)entry.Bytes);
    }

    /// <summary>4.3.12.</summary>
    public void CentralHeader(in ZipEntryFields entry)
    {
        byte[] name = Encoding.UTF8.GetBytes(entry.Header.Path);
        bool sizes = entry.StoredBytes >= Zip.Mask32 || entry.Bytes >= Zip.Mask32;
        bool offset = entry.Offset >= Zip.Mask32;
        int zip64 = (sizes ? 16 : 0) + (offset ? 8 : 0);
        UInt32(Zip.CentralHeader);
        UInt16((Zip.MadeByUnix << 8) | Zip.SpecificationVersion);
        Common(entry, name.Length, (zip64 > 0 ? zip64 + 4 : 0) + ExtraBytes(entry), sizes, false);
        UInt16(0); // comment
        UInt16(0); // disk
        UInt16(0); // internal attributes
        UInt32((uint)(Zip.RegularFile | (entry.Header.UnixMode & Zip.PermissionBits)) << 16);
        UInt32(offset ? Zip.Mask32 : (uint)entry.Offset);
        Bytes(name);
        if (zip64 > 0)
        {
            UInt16(Zip.Zip64Extra);
            UInt16((ushort)zip64);
            if (sizes)
            {
                UInt64((ulong)entry.Bytes);
                UInt64((ulong)entry.StoredBytes);
            }

            if (offset)
                UInt64((ulong)entry.Offset);
        }

        Extras(entry);
    }

    /// <summary>4.3.14 to 4.3.16; the ZIP64 records only where a number needs them.</summary>
    public void End(long entries, long directoryOffset, long directoryBytes)
    {
        if (entries >= Zip.Mask16 || directoryOffset >= Zip.Mask32 || directoryBytes >= Zip.Mask32)
        {
            UInt32(Zip.Zip64End);
            UInt64(Zip.Zip64EndBytes - 12);
            UInt16((Zip.MadeByUnix << 8) | Zip.SpecificationVersion);
            UInt16(Zip.VersionOfZip64);
            UInt32(0); // this disk
            UInt32(0); // the central directory's disk
            UInt64((ulong)entries);
            UInt64((ulong)entries);
            UInt64((ulong)directoryBytes);
            UInt64((ulong)directoryOffset);
            UInt32(Zip.Zip64Locator);
            UInt32(0);
            UInt64((ulong)(directoryOffset + directoryBytes));
            UInt32(1);
        }

        UInt32(Zip.End);
        UInt16(0);
        UInt16(0);
        UInt16((ushort)Math.Min(entries, Zip.Mask16));
        UInt16((ushort)Math.Min(entries, Zip.Mask16));
        UInt32((uint)Math.Min(directoryBytes, Zip.Mask32));
        UInt32((uint)Math.Min(directoryOffset, Zip.Mask32));
        UInt16(0); // comment
    }

    /// <summary>The fields that both headers have, from "version needed" to "extra field length".</summary>
    private void Common(in ZipEntryFields entry, int nameBytes, int extraBytes, bool maskSizes, bool inDescriptor)
    {
        UInt16(VersionNeeded(entry));
        UInt16((ushort)(Zip.Utf8Names | (entry.IsEncrypted ? Zip.Encrypted : 0) | (entry.Streamed ? Zip.HasDescriptor : 0)));
        UInt16(entry.IsEncrypted ? Zip.Aes : entry.Method);
        UInt32(DosTime(entry.Header.Modified));
        UInt32(inDescriptor ? 0 : entry.Crc);
        UInt32(maskSizes ? Zip.Mask32 : (uint)entry.StoredBytes);
        UInt32(maskSizes ? Zip.Mask32 : (uint)entry.Bytes);
        UInt16((ushort)nameBytes);
        UInt16((ushort)extraBytes);
    }

    /// <summary>4.4.3: no more than it takes, because programs refuse what is too new for them.</summary>
    private static int VersionNeeded(in ZipEntryFields entry) =>
        entry.Method == Zip.Zstandard ? Zip.SpecificationVersion
        : entry.IsEncrypted ? Zip.VersionOfAes
        : entry.Streamed || entry.StoredBytes >= Zip.Mask32 || entry.Bytes >= Zip.Mask32 || entry.Offset >= Zip.Mask32 ? Zip.VersionOfZip64
        : Zip.VersionOfDeflate;

    private static int ExtraBytes(in ZipEntryFields entry) => 9 + (entry.IsEncrypted ? 4 + Zip.AesExtraBytes : 0);

    private void Extras(in ZipEntryFields entry)
    {
        UInt16(Zip.TimeExtra);
        UInt16(5);
        Bytes([1]); // only the modification time follows
        UInt32((uint)(int)Math.Clamp(entry.Header.Modified.ToUnixTimeSeconds(), int.MinValue, int.MaxValue));
        if (!entry.IsEncrypted)
            return;
        UInt16(Zip.AesExtra);
        UInt16(Zip.AesExtraBytes);
        UInt16(Zip.AesVersion2);
        UInt16(Zip.AesVendor);
        Bytes([Zip.Aes256]);
        UInt16(entry.Method);
    }

    /// <summary>4.4.6: the date in the high half. In UTC, which readers of the extended timestamp do not look at.</summary>
    private static uint DosTime(DateTimeOffset time)
    {
        DateTime utc = time.UtcDateTime;
        if (utc.Year < 1980)
            return (1 << 21) | (1 << 16);
        if (utc.Year > 2107)
            utc = new DateTime(2107, 12, 31, 23, 59, 58, DateTimeKind.Utc);
        return ((uint)(utc.Year - 1980) << 25) | ((uint)utc.Month << 21) | ((uint)utc.Day << 16)
            | ((uint)utc.Hour << 11) | ((uint)utc.Minute << 5) | ((uint)utc.Second >> 1);
    }

    private void UInt16(int value) => BinaryPrimitives.WriteUInt16LittleEndian(Next(2), (ushort)value);

    private void UInt32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Next(4), value);

    private void UInt64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Next(8), value);

    private void Bytes(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Next(bytes.Length));

    private Span<byte> Next(int count)
    {
        if (_buffer.Length - _length < count)
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + count));
        _length += count;
        return _buffer.AsSpan(_length - count, count);
    }
}
