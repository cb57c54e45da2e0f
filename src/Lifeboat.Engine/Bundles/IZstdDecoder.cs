namespace Lifeboat.Engine.Bundles;

/// <summary>Decompresses Zstandard piece by piece. For one thread.</summary>
internal interface IZstdDecoder : IDisposable
{
    /// <summary>Takes some input and gives some output; at least one of both, as long as there is room and either input or something left of a frame.</summary>
    /// <param name="consumed">How many bytes of the input were taken.</param>
    /// <param name="written">How many bytes of the output were written.</param>
    /// <returns>Whether a frame has begun and has not ended.</returns>
    /// <exception cref="InvalidDataException">The input is not valid.</exception>
    bool Decode(ReadOnlySpan<byte> input, Span<byte> output, out int consumed, out int written);
}
