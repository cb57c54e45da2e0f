using System.Security.Cryptography;

namespace Lifeboat.Samples;

/// <summary>Attachments as files, each named by the SHA-1 of its content, in a folder of the name's first two digits.</summary>
internal sealed class FileStore(string folder, ChatSize size, int seed)
{
    private const int AverageBytes = 40_000;

    private static readonly string[] s_types = ["application/pdf", "image/png", "text/plain; charset=utf-8", "application/octet-stream"];

    /// <summary>Writes the files, and gives the row that refers to each, as it is written.</summary>
    public IEnumerable<object?[]> Create()
    {
        SampleText chance = new(seed);
        Directory.CreateDirectory(Path.Combine(folder, "checklist")); // stays empty
        for (int id = 1; id <= size.Attachments; id++)
        {
            byte[] content = chance.Bytes(id == 1 ? 0 : (int)(AverageBytes * Math.Pow(chance.Fraction(), 3) * 4));
            string sha1 = Convert.ToHexStringLower(SHA1.HashData(content));
            string name = $"{sha1[..2]}/{sha1}";
            Directory.CreateDirectory(Path.Combine(folder, sha1[..2]));
            string path = Path.Combine(folder, name);
            File.WriteAllBytes(path, content);
            File.SetLastWriteTimeUtc(path, chance.Moment());
            if (id % 10 == 0 && !OperatingSystem.IsWindows())
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            yield return [id, 1 + chance.Below(size.Messages), name, sha1, content.Length, s_types[chance.Below(s_types.Length)]];
        }
    }
}
