using System.Runtime.InteropServices;

namespace Lifeboat.Engine.Bundles;

/// <summary>The system's libzstd (https://facebook.github.io/zstd/zstd_manual.html, version 1.4 and later), loaded when first asked
/// for.</summary>
internal sealed unsafe class ZstdLibrary
{
    /// <summary>ZSTD_c_compressionLevel.</summary>
    public const int CompressionLevel = 100;

    /// <summary>ZSTD_d_windowLogMax.</summary>
    public const int WindowLogMax = 100;

    private static readonly Lazy<ZstdLibrary?> Loaded = new(Load);

    /// <summary>Null where this machine has none.</summary>
    public static ZstdLibrary? Here => Loaded.Value;

    private ZstdLibrary(nint library)
    {
        CreateCompressor = (delegate* unmanaged<nint>)NativeLibrary.GetExport(library, "ZSTD_createCCtx");
        FreeCompressor = (delegate* unmanaged<nint, nuint>)NativeLibrary.GetExport(library, "ZSTD_freeCCtx");
        SetCompressor = (delegate* unmanaged<nint, int, int, nuint>)NativeLibrary.GetExport(library, "ZSTD_CCtx_setParameter");
        Compress = (delegate* unmanaged<nint, byte*, nuint, byte*, nuint, nuint>)NativeLibrary.GetExport(library, "ZSTD_compress2");
        CompressBound = (delegate* unmanaged<nuint, nuint>)NativeLibrary.GetExport(library, "ZSTD_compressBound");
        IsError = (delegate* unmanaged<nuint, uint>)NativeLibrary.GetExport(library, "ZSTD_isError");
        ErrorName = (delegate* unmanaged<nuint, nint>)NativeLibrary.GetExport(library, "ZSTD_getErrorName");
        CreateDecompressor = (delegate* unmanaged<nint>)NativeLibrary.GetExport(library, "ZSTD_createDCtx");
        FreeDecompressor = (delegate* unmanaged<nint, nuint>)NativeLibrary.GetExport(library, "ZSTD_freeDCtx");
        SetDecompressor = (delegate* unmanaged<nint, int, int, nuint>)NativeLibrary.GetExport(library, "ZSTD_DCtx_setParameter");
        DecompressStream =
            (delegate* unmanaged<nint, ZstdBuffer*, ZstdBuffer*, nuint>)NativeLibrary.GetExport(library, "ZSTD_decompressStream");
    }

    public delegate* unmanaged<nint> CreateCompressor { get; }

    public delegate* unmanaged<nint, nuint> FreeCompressor { get; }

    public delegate* unmanaged<nint, int, int, nuint> SetCompressor { get; }

    public delegate* unmanaged<nint, byte*, nuint, byte*, nuint, nuint> Compress { get; }

    public delegate* unmanaged<nuint, nuint> CompressBound { get; }

    public delegate* unmanaged<nuint, uint> IsError { get; }

    public delegate* unmanaged<nuint, nint> ErrorName { get; }

    public delegate* unmanaged<nint> CreateDecompressor { get; }

    public delegate* unmanaged<nint, nuint> FreeDecompressor { get; }

    public delegate* unmanaged<nint, int, int, nuint> SetDecompressor { get; }

    public delegate* unmanaged<nint, ZstdBuffer*, ZstdBuffer*, nuint> DecompressStream { get; }

    /// <summary>The library's words for an error result.</summary>
    public string Describe(nuint result) => Marshal.PtrToStringUTF8(ErrorName(result)) ?? "unknown error";

    private static ZstdLibrary? Load()
    {
        string[] names = OperatingSystem.IsWindows() ? ["libzstd.dll", "zstd.dll"]
            : OperatingSystem.IsMacOS() ? ["libzstd.1.dylib", "/opt/homebrew/lib/libzstd.1.dylib", "/usr/local/lib/libzstd.1.dylib"]
            : ["libzstd.so.1"];
        foreach (string name in names)
            if (NativeLibrary.TryLoad(name, typeof(ZstdLibrary).Assembly, null, out nint library))
                return new ZstdLibrary(library);
        return null;
    }
}

/// <summary>ZSTD_inBuffer and ZSTD_outBuffer, which have the same fields.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ZstdBuffer
{
    public byte* Data;
    public nuint Size;
    public nuint Position;
}
