using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Lifeboat.Engine.Bundles;

/// <summary>
/// AES-256 in the counter mode of the WinZip AES specification (a little-endian counter that starts at 1, which is why it is
/// built from ECB blocks here), with HMAC-SHA1 over the encrypted bytes. For one entry, from its start to its end.
/// </summary>
internal sealed class EntryCipher : IDisposable
{
    /// <summary>Bytes of key stream made at once; long enough to hide the cost of a call, short enough for the first-level cache.</summary>
    private const int StripBytes = 8192;

    private readonly Aes _aes = Aes.Create();
    private readonly ICryptoTransform _blocks;
    private readonly IncrementalHash _authentication;
    private readonly byte[] _counters = ArrayPool<byte>.Shared.Rent(StripBytes);
    private readonly byte[] _stream = ArrayPool<byte>.Shared.Rent(StripBytes);
    private ulong _counter = 1;
    private int _used = StripBytes;
    private int _made = StripBytes;
    private bool _disposed;

    public EntryCipher(EntryKeys keys)
    {
        _counters.AsSpan().Clear(); // their high halves stay zero
        _aes.SetKey(keys.Encryption);
        _aes.Mode = CipherMode.ECB;
        _aes.Padding = PaddingMode.None;
        _blocks = _aes.CreateEncryptor();
        _authentication = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA1, keys.Authentication);
    }

    /// <summary>Encrypts and authenticates; the spans are of one length, and may be the same.</summary>
    public void Encrypt(ReadOnlySpan<byte> plain, Span<byte> encrypted)
    {
        Apply(plain, encrypted);
        _authentication.AppendData(encrypted[..plain.Length]);
    }

    /// <summary>Authenticates and decrypts in place. What it gives is not to be trusted before <see cref="Matches"/>.</summary>
    public void Decrypt(Span<byte> data)
    {
        _authentication.AppendData(data);
        Apply(data, data);
    }

    /// <summary>Authenticates encrypted bytes without decrypting them.</summary>
    public void Authenticate(ReadOnlySpan<byte> encrypted) => _authentication.AppendData(encrypted);

    /// <summary>Writes the authentication code: the first 10 bytes of the HMAC.</summary>
    public void Finish(Span<byte> code)
    {
        Span<byte> whole = stackalloc byte[HMACSHA1.HashSizeInBytes];
        _authentication.GetHashAndReset(whole);
        whole[..EntryKeys.CodeBytes].CopyTo(code);
    }

    /// <summary>Whether everything authenticated so far has this code.</summary>
    public bool Matches(ReadOnlySpan<byte> code)
    {
        Span<byte> expected = stackalloc byte[EntryKeys.CodeBytes];
        Finish(expected);
        return CryptographicOperations.FixedTimeEquals(expected, code);
    }

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        CryptographicOperations.ZeroMemory(_stream);
        ArrayPool<byte>.Shared.Return(_stream);
        ArrayPool<byte>.Shared.Return(_counters);
        _authentication.Dispose();
        _blocks.Dispose();
        _aes.Dispose();
    }

    private void Apply(ReadOnlySpan<byte> from, Span<byte> to)
    {
        while (from.Length > 0)
        {
            if (_used == _made)
                MakeStream(from.Length);
            int count = Math.Min(from.Length, _made - _used);
            Xor(from[..count], _stream.AsSpan(_used, count), to);
            _used += count;
            from = from[count..];
            to = to[count..];
        }
    }

    private void MakeStream(int wanted)
    {
        _made = Math.Min(StripBytes, (wanted + 15) & ~15);
        Span<ulong> words = MemoryMarshal.Cast<byte, ulong>(_counters.AsSpan(0, _made));
        for (int i = 0; i < words.Length; i += 2)
            words[i] = BitConverter.IsLittleEndian ? _counter++ : System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(_counter++);
        _blocks.TransformBlock(_counters, 0, _made, _stream, 0);
        _used = 0;
    }

    private static void Xor(ReadOnlySpan<byte> from, ReadOnlySpan<byte> with, Span<byte> to)
    {
        int i = 0;
        for (; i <= from.Length - Vector<byte>.Count; i += Vector<byte>.Count)
            (new Vector<byte>(from[i..]) ^ new Vector<byte>(with[i..])).CopyTo(to[i..]);
        for (; i < from.Length; i++)
            to[i] = (byte)(from[i] ^ with[i]);
    }
}
