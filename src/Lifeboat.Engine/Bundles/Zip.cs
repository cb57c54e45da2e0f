namespace Lifeboat.Engine.Bundles;

/// <summary>The numbers of the ZIP format: PKWARE's APPNOTE.TXT 6.3.10 (sections in the remarks) and WinZip's AES specification.</summary>
internal static class Zip
{
    public const uint LocalHeader = 0x04034b50; // 4.3.7
    public const uint DataDescriptor = 0x08074b50; // 4.3.9
    public const uint CentralHeader = 0x02014b50; // 4.3.12
    public const uint Zip64End = 0x06064b50; // 4.3.14
    public const uint Zip64Locator = 0x07064b50; // 4.3.15
    public const uint End = 0x06054b50; // 4.3.16

    public const int LocalHeaderBytes = 30;
    public const int CentralHeaderBytes = 46;
    public const int Zip64EndBytes = 56;
    public const int Zip64LocatorBytes = 20;
    public const int EndBytes = 22;

    public const ushort Encrypted = 1 << 0; // 4.4.4
    public const ushort DeflateLevel = 3 << 1;
    public const ushort HasDescriptor = 1 << 3;
    public const ushort Utf8Names = 1 << 11;

    public const ushort Stored = 0; // 4.4.5
    public const ushort Deflated = 8;
    public const ushort Zstandard = 93;
    public const ushort Aes = 99;

    public const ushort Zip64Extra = 0x0001; // 4.5.3
    public const ushort TimeExtra = 0x5455; // Info-ZIP's extended timestamp
    public const ushort AesExtra = 0x9901; // WinZip
    public const int AesExtraBytes = 7;
    public const ushort AesVersion2 = 2;
    public const ushort AesVendor = 0x4541; // "AE"
    public const byte Aes256 = 3;

    public const int MadeByUnix = 3; // 4.4.2
    public const int MadeByMac = 19;
    public const int SpecificationVersion = 63;

    public const int VersionOfDeflate = 20; // 4.4.3
    public const int VersionOfZip64 = 45;
    public const int VersionOfAes = 51;

    public const int FileTypeBits = 0xF000; // S_IFMT
    public const int RegularFile = 0x8000; // S_IFREG
    public const int PermissionBits = 0xFFF;
    public const uint DosFolder = 0x10;

    /// <summary>The longest that a field of 32 bits can say; this value itself means that the ZIP64 extra has it.</summary>
    public const uint Mask32 = uint.MaxValue;
    public const ushort Mask16 = ushort.MaxValue;

    /// <summary>
    /// A file of this name begins every bundle, for people who open one with another program. It is no part of the snapshot. It is also
    /// there because 7-Zip wants the ZIP's first entry to be in the central directory, which an entry whose writing failed is not.
    /// </summary>
    public const string CoverName = "about-this-bundle.txt";
}
