using System.Globalization;

namespace Lifeboat.Demo;

/// <summary>The sample app's file store and settings.</summary>
internal sealed class DemoFiles(string folder)
{
    private static readonly DateTime FirstTime = new(2026, 1, 2, 3, 4, 5, 678, DateTimeKind.Utc);

    private readonly string _store = Path.Combine(folder, "filestore");

    private string[] Settings => [Path.Combine(folder, "app_settings.json"), Path.Combine(folder, ".env")];

    public void Create()
    {
        for (int i = 0; i < 200; i++)
            Write($"ab/{i % 16:x2}/attachment-{i}.bin", i * 37);
        foreach (string name in AwkwardNames())
            Write("names/" + name, name.Length);
        Directory.CreateDirectory(Path.Combine(_store, "empty folder"));
        if (!OperatingSystem.IsWindows())
        {
            File.CreateSymbolicLink(Path.Combine(_store, "latest"), "ab/07/attachment-199.bin");
            File.CreateSymbolicLink(Path.Combine(_store, "dangling"), "no/such/file");
            File.SetUnixFileMode(Path.Combine(_store, "ab/00/attachment-0.bin"), (UnixFileMode)0b111_101_000); // 0750
            File.SetUnixFileMode(Path.Combine(_store, "ab/01/attachment-1.bin"), (UnixFileMode)0b100_000_000); // 0400
        }

        File.WriteAllText(Settings[0], """{"title": "Shop – ünïcode", "items_per_page": 25}""" + "\n");
        File.WriteAllText(Settings[1], "SHOP_MODE=live\nSHOP_API_KEY='quoted $value'\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(Settings[1], UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    public void Destroy()
    {
        Directory.Delete(_store, recursive: true);
        foreach (string file in Settings)
            File.Delete(file);
    }

    public string Describe() =>
        $"Files: {Output.Quantity.Number(Directory.EnumerateFileSystemEntries(_store, "*", SearchOption.AllDirectories).Count())} entries, "
        + "with links, an empty folder and names such as " + AwkwardNames()[0];

    public async Task<IReadOnlyList<(string What, string Value)>> FingerprintAsync(CancellationToken cancellation)
    {
        List<string> entries = [];
        foreach (string path in Directory.EnumerateFileSystemEntries(_store, "*", SearchOption.AllDirectories))
            entries.Add(Path.GetRelativePath(_store, path) + "\t" + await DescribeAsync(path, cancellation));
        List<string> settings = [];
        foreach (string file in Settings)
            settings.Add(Path.GetFileName(file) + "\t" + await DescribeAsync(file, cancellation));
        return
        [
            ("Files: number of entries", Output.Quantity.Number(entries.Count)),
            ("Files: contents, modes, times", Digest.OfLines(entries)),
            ("Settings: contents, modes, times", Digest.OfLines(settings)),
        ];
    }

    private static async Task<string> DescribeAsync(string path, CancellationToken cancellation)
    {
        FileInfo file = new(path);
        string mode = OperatingSystem.IsWindows() ? "" : file.UnixFileMode.ToString();
        string time = file.LastWriteTimeUtc.Ticks.ToString(CultureInfo.InvariantCulture);
        if (file.LinkTarget is { } target)
            return $"link\t{target}";
        return Directory.Exists(path) ? $"folder\t{mode}\t{time}" : $"file\t{mode}\t{time}\t{await Digest.OfFileAsync(path, cancellation)}";
    }

    private static string[] AwkwardNames() => OperatingSystem.IsWindows()
        ? ["with space.txt", "ünïcödé 漢字 🛟.txt", "[brackets] & %PERCENT%.txt"]
        : ["it's \"quoted\" & $HOME.txt", "with space.txt", "-rf", "ünïcödé 漢字 🛟.txt", "new\nline.txt", "back\\slash.txt",
            "[bold]markup[/].txt", "tab\there", "*?.txt"];

    private void Write(string relative, int seed)
    {
        string path = Path.Combine(_store, relative);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        byte[] content = new byte[seed * 13 % 40_000];
        for (int i = 0; i < content.Length; i++)
            content[i] = (byte)((i * seed) >> 3);
        File.WriteAllBytes(path, content);
        File.SetLastWriteTimeUtc(path, FirstTime.AddMinutes(seed).AddTicks(seed));
    }
}
