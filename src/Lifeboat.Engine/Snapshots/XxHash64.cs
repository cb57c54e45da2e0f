using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Lifeboat.Engine.Snapshots;

/// <summary>XXH64 (xxHash fast digest algorithm specification, version 0.1.1, section "XXH64").</summary>
public static class XxHash64
{
    private const ulong Prime1 = 0x9E3779B185EBCA87;
    private const ulong Prime2 = 0xC2B2AE3D27D4EB4F;
    private const ulong Prime3 = 0x165667B19E3779F9;
    private const ulong Prime4 = 0x85EBCA77C2B2AE63;
    private const ulong Prime5 = 0x27D4EB2F165667C5;

    public static ulong Hash(ReadOnlySpan<byte> data, ulong seed)
    {
        ulong hash;
        ReadOnlySpan<byte> rest = data;
        if (data.Length >= 32)
        {
            ulong a = seed + Prime1 + Prime2, b = seed + Prime2, c = seed, d = seed - Prime1;
            rest = Stripes(rest, ref a, ref b, ref c, ref d);
            hash = Join(a, b, c, d);
        }
        else
        {
            hash = seed + Prime5;
        }

        return Avalanche(Tail(hash + (ulong)data.Length, rest));
    }

    /// <summary>The same over data that comes in pieces.</summary>
    internal sealed class Running
    {
        private readonly byte[] _pending = new byte[32];
        private int _pendingLength;
        private ulong _seed, _a, _b, _c, _d, _length;

        public void Reset(ulong seed)
        {
            _seed = seed;
            (_a, _b, _c, _d) = (seed + Prime1 + Prime2, seed + Prime2, seed, seed - Prime1);
            (_pendingLength, _length) = (0, 0);
        }

        public void Append(ReadOnlySpan<byte> data)
        {
            _length += (ulong)data.Length;
            if (_pendingLength > 0)
            {
                int taken = Math.Min(32 - _pendingLength, data.Length);
                data[..taken].CopyTo(_pending.AsSpan(_pendingLength));
                _pendingLength += taken;
                data = data[taken..];
                if (_pendingLength < 32)
                    return;
                Stripes(_pending);
                _pendingLength = 0;
            }

            data = Stripes(data);
            data.CopyTo(_pending);
            _pendingLength = data.Length;
        }

        public ulong Finish()
        {
            ulong hash = _length >= 32 ? Join(_a, _b, _c, _d) : _seed + Prime5;
            return Avalanche(Tail(hash + _length, _pending.AsSpan(0, _pendingLength)));
        }

        private ReadOnlySpan<byte> Stripes(ReadOnlySpan<byte> data) => XxHash64.Stripes(data, ref _a, ref _b, ref _c, ref _d);
    }

    private static ReadOnlySpan<byte> Stripes(
        ReadOnlySpan<byte> rest, scoped ref ulong laneA, scoped ref ulong laneB, scoped ref ulong laneC, scoped ref ulong laneD)
    {
        ulong a = laneA, b = laneB, c = laneC, d = laneD;
        while (rest.Length >= 32)
        {
            a = Round(a, BinaryPrimitives.ReadUInt64LittleEndian(rest));
            b = Round(b, BinaryPrimitives.ReadUInt64LittleEndian(rest[8..]));
            c = Round(c, BinaryPrimitives.ReadUInt64LittleEndian(rest[16..]));
            d = Round(d, BinaryPrimitives.ReadUInt64LittleEndian(rest[24..]));
            rest = rest[32..];
        }

        (laneA, laneB, laneC, laneD) = (a, b, c, d);
        return rest;
    }

    private static ulong Join(ulong a, ulong b, ulong c, ulong d)
    {
        ulong hash = BitOperations.RotateLeft(a, 1) + BitOperations.RotateLeft(b, 7) + BitOperations.RotateLeft(c, 12)
            + BitOperations.RotateLeft(d, 18);
        return Merge(Merge(Merge(Merge(hash, a), b), c), d);
    }

    private static ulong Tail(ulong hash, ReadOnlySpan<byte> rest)
    {
        for (; rest.Length >= 8; rest = rest[8..])
            hash = (BitOperations.RotateLeft(hash ^ Round(0, BinaryPrimitives.ReadUInt64LittleEndian(rest)), 27) * Prime1) + Prime4;
        if (rest.Length >= 4)
        {
            hash = (BitOperations.RotateLeft(hash ^ (BinaryPrimitives.ReadUInt32LittleEndian(rest) * Prime1), 23) * Prime2) + Prime3;
            rest = rest[4..];
        }

        foreach (byte value in rest)
            hash = BitOperations.RotateLeft(hash ^ (value * Prime5), 11) * Prime1;
        return hash;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Round(ulong lane, ulong input) => BitOperations.RotateLeft(lane + (input * Prime2), 31) * Prime1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Merge(ulong hash, ulong lane) => ((hash ^ Round(0, lane)) * Prime1) + Prime4;

    private static ulong Avalanche(ulong hash)
    {
        hash = (hash ^ (hash >> 33)) * Prime2;
        hash = (hash ^ (hash >> 29)) * Prime3;
        return hash ^ (hash >> 32);
    }
}
