using System.Text;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Bundles;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Tests.Shared;

namespace Lifeboat.Tests.Bundles;

/// <summary>Whatever happens to a bundle's bytes: it reads as what was written, or it is refused in our words.</summary>
public sealed class DamageTests
{
    public static TheoryData<Compression, bool, bool> Kinds => new()
    {
        { Compression.Zstd, true, false },
        { Compression.Zstd, true, true },
        { Compression.Zstd, false, true },
        { Compression.Deflate, false, false },
        { Compression.Deflate, true, true },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Cut_off_at_any_byte_it_is_refused(Compression compression, bool encrypted, bool streamed)
    {
        using BundleFixture bundle = new();
        (byte[] whole, _) = await SmallSnapshotAsync(bundle, compression, encrypted, streamed);
        for (int length = 0; length < whole.Length; length++)
        {
            await File.WriteAllBytesAsync(bundle.Path, whole[..length], TestContext.Current.CancellationToken);
            LifeboatException refused = await Assert.ThrowsAsync<LifeboatException>(() => ReadAllAsync(bundle));
            Assert.True(refused.Code == ErrorCodes.NotABundle || refused.Code == ErrorCodes.BundleDamaged, $"{length}: {refused.Message}");
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task With_any_byte_changed_it_is_refused_or_reads_as_it_was(Compression compression, bool encrypted, bool streamed)
    {
        using BundleFixture bundle = new();
        (byte[] whole, Dictionary<string, byte[]> files) = await SmallSnapshotAsync(bundle, compression, encrypted, streamed);
        int refused = 0;
        for (int at = 0; at < whole.Length; at++)
        {
            // One bit in most bytes, all bits in some; encrypted bundles take longer to open.
            int mask = at % 9 == 8 ? 0xFF : 1 << (at % 9);
            byte[] changed = [.. whole];
            changed[at] ^= (byte)mask;
            if (!await SurvivesAsync(bundle, changed, files, $"byte {at} changed by {mask:x}"))
                refused++;
        }

        // What may change without harm: times, modes, the cover's text, version numbers, comments.
        Assert.True(refused > whole.Length / 2, $"only {refused} of {whole.Length} changes were noticed");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task With_random_damage_it_is_refused_or_reads_as_it_was(Compression compression, bool encrypted, bool streamed)
    {
        using BundleFixture bundle = new();
        (byte[] whole, Dictionary<string, byte[]> files) = await SmallSnapshotAsync(bundle, compression, encrypted, streamed);
        Random random = new(5);
        for (int round = 0; round < (encrypted ? 400 : 2000); round++)
        {
            List<byte> changed = [.. whole];
            int from = random.Next(whole.Length);
            int count = random.Next(1, Math.Min(60, whole.Length - from + 1));
            switch (random.Next(4))
            {
                case 0:
                    changed.RemoveRange(from, count);
                    break;
                case 1:
                    changed.InsertRange(from, BundleFixture.Noise(round, count));
                    break;
                case 2:
                    changed.InsertRange(random.Next(whole.Length), whole[from..(from + count)]);
                    break;
                default:
                    for (int i = 0; i < count; i++)
                        changed[from + i] = (byte)random.Next(256);
                    break;
            }

            await SurvivesAsync(bundle, [.. changed], files, $"round {round}");
        }
    }

    /// <summary>Gives whether it could be read; any other exception than ours, or other content, fails the test.</summary>
    private static async Task<bool> SurvivesAsync(BundleFixture bundle, byte[] bytes, Dictionary<string, byte[]> files, string what)
    {
        await File.WriteAllBytesAsync(bundle.Path, bytes);
        try
        {
            Dictionary<string, byte[]> read = await ReadAllAsync(bundle);
            Assert.Equal(files.Keys.Order(StringComparer.Ordinal), read.Keys.Order(StringComparer.Ordinal));
            Assert.All(read, pair =>
                Assert.True(files[pair.Key].AsSpan().SequenceEqual(pair.Value), $"{what}: {pair.Key} reads as something else"));
            return true;
        }
        catch (LifeboatException e)
        {
            Assert.NotEqual(ErrorCodes.Internal, e.Code);
            return false;
        }
        catch (Exception e) when (e is not Xunit.Sdk.XunitException)
        {
            throw new InvalidOperationException($"{what}: {e.Message}", e);
        }
    }

    private static async Task<Dictionary<string, byte[]>> ReadAllAsync(BundleFixture bundle)
    {
        await using VerifiedSnapshot snapshot = await VerifiedSnapshot.OpenAsync(await bundle.OpenAsync(), CancellationToken.None);
        Dictionary<string, byte[]> read = new(StringComparer.Ordinal);
        foreach (string path in snapshot.Sha256.Keys)
        {
            await using Stream stream = snapshot.Open(path);
            using MemoryStream bytes = new();
            await stream.CopyToAsync(bytes);
            read.Add(path, bytes.ToArray());
        }

        return read;
    }

    private static async Task<(byte[] Whole, Dictionary<string, byte[]> Files)> SmallSnapshotAsync(
        BundleFixture bundle, Compression compression, bool encrypted, bool streamed)
    {
        (string, byte[])[] files = [("t.copy", Encoding.UTF8.GetBytes("1\tone\n2\ttwo\n3\tthree\n3\tthree\n"))];
        BundleOptions options = bundle.Options(compression, encrypted, workers: 1) with { BlockBytes = 16 };
        await bundle.WriteSnapshotAsync(streamed ? options with { BufferBytes = 1 } : options, files);
        byte[] whole = await File.ReadAllBytesAsync(bundle.Path);
        return (whole, await ReadAllAsync(bundle));
    }
}
