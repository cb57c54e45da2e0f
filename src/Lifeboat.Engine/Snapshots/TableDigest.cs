using System.Globalization;

namespace Lifeboat.Engine.Snapshots;

/// <summary>
/// The table digest <c>xxh64x2-sum-v1</c>: the sum modulo 2^128 of a 128-bit hash of each row's bytes, without the line end. The
/// hash's high half is XXH64 with seed 0, its low half XXH64 with seed 0x9E3779B97F4A7C15. A sum does not depend on the rows' order,
/// so it is the same for any number of parts, and unlike a XOR it does not lose pairs of equal rows.
/// </summary>
public struct TableDigest : IEquatable<TableDigest>
{
    public const string Algorithm = "xxh64x2-sum-v1";
    public const ulong SecondSeed = 0x9E3779B97F4A7C15;

    private UInt128 _sum;
    private XxHash64.Running? _long;

    public long Rows { get; private set; }

    /// <summary>Adds one row.</summary>
    public void Add(ReadOnlySpan<byte> row)
    {
        (ulong high, ulong low) = XxHash64.Hash(row, 0, SecondSeed);
        _sum += new UInt128(high, low);
        Rows++;
    }

    /// <summary>Adds a piece of a row that is too long to be held; <see cref="EndRow"/> adds the last one.</summary>
    /// <param name="continued">Whether pieces of the same row were added before.</param>
    public void BeginRow(ReadOnlySpan<byte> piece, bool continued)
    {
        if (!continued)
            (_long ??= new XxHash64.Running()).Reset(0, SecondSeed);
        _long!.Append(piece);
    }

    /// <summary>Adds the last piece of a row begun with <see cref="BeginRow"/>.</summary>
    public void EndRow(ReadOnlySpan<byte> piece)
    {
        BeginRow(piece, continued: true);
        (ulong high, ulong low) = _long!.Finish();
        _sum += new UInt128(high, low);
        Rows++;
    }

    /// <summary>Adds another part's rows.</summary>
    public void Add(TableDigest part)
    {
        _sum += part._sum;
        Rows += part.Rows;
    }

    public override readonly string ToString() => $"{Algorithm}:{_sum.ToString("x32", CultureInfo.InvariantCulture)}";

    public readonly bool Equals(TableDigest other) => _sum == other._sum && Rows == other.Rows;

    public override readonly bool Equals(object? obj) => obj is TableDigest other && Equals(other);

    public override readonly int GetHashCode() => HashCode.Combine(_sum, Rows);

    public static bool operator ==(TableDigest left, TableDigest right) => left.Equals(right);

    public static bool operator !=(TableDigest left, TableDigest right) => !left.Equals(right);
}
