using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Bundles;
using Lifeboat.Engine.Secrets;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Tests.Shared;

/// <summary>A bundle's files as somebody alters them who can fix all checksums: everything that needs no password.</summary>
public sealed class ForgedBundle
{
    private readonly SortedDictionary<string, byte[]> _files = new(StringComparer.Ordinal);

    public byte[] this[string path] { get => _files[path]; set => _files[path] = value; }

    public IEnumerable<string> Paths => _files.Keys;

    public static async Task<ForgedBundle> ReadAsync(string path, Secret? password = null)
    {
        await using BundleReader reader = await BundleReader.OpenAsync(path, password, CancellationToken.None);
        ForgedBundle forged = new();
        foreach (string file in reader.Entries.Keys.Where(static file => file != Checksums.FileName))
            forged[file] = BundleFixture.ReadAll(reader, file);
        return forged;
    }

    public string Text(string path) => Encoding.UTF8.GetString(_files[path]);

    /// <summary>Replaces text that must be there.</summary>
    public void Replace(string path, string text, string by)
    {
        string old = Text(path);
        Assert.Contains(text, old, StringComparison.Ordinal);
        _files[path] = Encoding.UTF8.GetBytes(old.Replace(text, by, StringComparison.Ordinal));
    }

    public void Append(string path, string text) => _files[path] = [.. _files[path], .. Encoding.UTF8.GetBytes(text)];

    public void AlterMetadata(Action<JsonNode> alter)
    {
        JsonNode metadata = JsonNode.Parse(_files[VerifiedSnapshot.MetadataFileName])!;
        alter(metadata);
        _files[VerifiedSnapshot.MetadataFileName] = Encoding.UTF8.GetBytes(metadata.ToJsonString());
    }

    /// <summary>Writes the bundle with checksums that fit, in the place of one that is there, and a copy of the metadata beside it.</summary>
    public async Task WriteAsync(string path, Secret? password = null)
    {
        BundleOptions options = new(Compression.Zstd, password, new TestHost(Path.GetTempPath()).Context.Host);
        await using (FileStream output = new(path, FileMode.Create))
        {
            await using BundleWriter writer = new(output, options);
            foreach ((string file, byte[] bytes) in _files)
                await BundleFixture.AddAsync(writer, file, bytes);
            await BundleFixture.AddAsync(writer, Checksums.FileName, Checksums.Write(_files.Select(static file => new EntryReceipt(
                file.Key, file.Value.Length, Convert.ToHexStringLower(SHA256.HashData(file.Value))))));
            await writer.CompleteAsync(CancellationToken.None);
        }

        await File.WriteAllBytesAsync(path + ".metadata.json", _files[VerifiedSnapshot.MetadataFileName]);
    }
}
