using System.Security.Cryptography;
using FsCheck;
using FsCheck.Fluent;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Bundles;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Tests.Shared;

namespace Lifeboat.Tests.Bundles;

public sealed class RoundTripTests
{
    private const int Block = 1 << 20;

    public static TheoryData<Compression, bool> Kinds => new()
    {
        { Compression.Zstd, true },
        { Compression.Zstd, false },
        { Compression.Deflate, true },
        { Compression.Deflate, false },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Files_of_all_sizes_around_the_blocks_come_back_as_they_were(Compression compression, bool encrypted)
    {
        using BundleFixture bundle = new();
        int[] sizes = [0, 1, 2, 100, 65_535, 65_536, 65_537, Block - 1, Block, Block + 1, (2 * Block) - 1, 2 * Block, (2 * Block) + 1,
            (5 * Block) + 77];
        (string, byte[])[] files = [.. sizes.SelectMany(size =>
            new[] { ($"text/{size}", BundleFixture.Text(size, size)), ($"noise/{size}", BundleFixture.Noise(size, size)) })];
        EntryReceipt[] receipts = await bundle.WriteAsync(bundle.Options(compression, encrypted), files);
        await AssertSame(bundle, files, receipts, encrypted);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Large_files_that_are_streamed_come_back_as_they_were(Compression compression, bool encrypted)
    {
        using BundleFixture bundle = new();
        (string, byte[])[] files = [.. Enumerable.Range(0, 4).Select(i => ($"noise/{i}", BundleFixture.Noise(i, (9 * Block) + i)))];
        EntryReceipt[] receipts =
            await bundle.WriteAsync(bundle.Options(compression, encrypted) with { BufferBytes = 2 * Block, StreamBytes = Block }, files);
        await AssertSame(bundle, files, receipts, encrypted);
    }

    [Fact]
    public void Any_sequence_of_writes_comes_back_as_it_was() =>
        Prop.ForAll(
            Gen.Choose(0, 3000).ListOf().ToArbitrary(), Gen.Choose(0, 3).ToArbitrary(), Gen.Choose(1, 5000).ToArbitrary(), (writes, kind, block) =>
        {
            return ComesBackAsync((Compression)(kind & 1), (kind & 2) != 0, block, [.. writes]).GetAwaiter().GetResult();
        }).QuickCheckThrowOnFailure();

    [Fact]
    public async Task Names_times_and_modes_come_back()
    {
        using BundleFixture bundle = new();
        string[] names = ["plain.txt", "ünïcödé/日本語.txt", "emoji/😀", "space here/ (1) & $HOME 'quote'", new string('x', 255), "-rf"];
        await bundle.WriteAsync(bundle.Options(), [.. names.Select(static name => (name, new byte[] { 1 }))]);
        await using BundleReader reader = await bundle.OpenAsync();
        Assert.Equal(names.Order(StringComparer.Ordinal), reader.Entries.Keys.Order(StringComparer.Ordinal));
        Assert.All(reader.Entries.Values, static entry =>
        {
            Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(1_700_000_001), entry.Modified);
            Assert.Equal(0b110_100_000, entry.UnixMode);
            Assert.Equal(1, entry.Bytes);
        });
    }

    [Fact]
    public async Task More_files_than_a_plain_zip_can_count_come_back()
    {
        using BundleFixture bundle = new();
        const int count = 66_000;
        await using (FileStream output = new(bundle.Path, FileMode.Create))
        {
            await using BundleWriter writer = new(output, bundle.Options(encrypted: false));
            for (int i = 0; i < count; i++)
                await BundleFixture.AddAsync(writer, $"f/{i}", BitConverter.GetBytes(i), 4);
            await writer.CompleteAsync(TestContext.Current.CancellationToken);
        }

        await using BundleReader reader = await bundle.OpenAsync();
        Assert.Equal(count, reader.Entries.Count);
        await reader.AuthenticateAsync(TestContext.Current.CancellationToken);
        foreach (int i in (int[])[0, 1, 65_534, 65_535, 65_999])
            Assert.Equal(BitConverter.GetBytes(i), BundleFixture.ReadAll(reader, $"f/{i}"));
    }

    [Fact]
    public async Task An_empty_bundle_is_a_bundle_without_files()
    {
        using BundleFixture bundle = new();
        await bundle.WriteAsync(bundle.Options());
        await using BundleReader reader = await bundle.OpenAsync();
        Assert.Empty(reader.Entries);
        Assert.True(reader.IsEncrypted);
    }

    [Fact]
    public async Task A_wrong_password_is_said_to_be_wrong()
    {
        using BundleFixture bundle = new();
        await bundle.WriteAsync(bundle.Options(), ("a", [1, 2, 3]));
        LifeboatException wrong = await Assert.ThrowsAsync<LifeboatException>(
            () => BundleReader.OpenAsync(bundle.Path, new("another"), TestContext.Current.CancellationToken));
        Assert.Equal(ErrorCodes.WrongPassword, wrong.Code);
        Assert.Equal(ExitStatus.WrongPassword, wrong.Code.Exit);
        LifeboatException missing = await Assert.ThrowsAsync<LifeboatException>(() => bundle.OpenAsync(withPassword: false));
        Assert.Equal(ErrorCodes.WrongPassword, missing.Code);
        Assert.NotEqual(wrong.Hint, missing.Hint);
    }

    [Fact]
    public async Task Every_entry_has_a_salt_of_its_own()
    {
        using BundleFixture bundle = new();
        byte[] same = BundleFixture.Text(1, 1000);
        await bundle.WriteAsync(bundle.Options(), ("a", same), ("b", same));
        byte[] raw = await File.ReadAllBytesAsync(bundle.Path, TestContext.Current.CancellationToken);
        byte[][] data = [.. ZipBytes.Central(raw).Select(entry => raw[entry.Data..(entry.Data + entry.Stored)])];
        Assert.Equal(3, data.Length);
        Assert.Equal(3, data.Select(static bytes => Convert.ToHexString(bytes, 0, 16)).Distinct().Count());
    }

    private static async Task<bool> ComesBackAsync(Compression compression, bool encrypted, int block, int[] writes)
    {
        using BundleFixture bundle = new();
        byte[] all = BundleFixture.Text(block, writes.Sum());
        await WriteInPiecesAsync(bundle, bundle.Options(compression, encrypted) with { BlockBytes = block, StreamBytes = 3 * block }, all,
            writes);
        await using BundleReader reader = await bundle.OpenAsync();
        return BundleFixture.ReadAll(reader, "f").SequenceEqual(all);
    }

    private static async Task WriteInPiecesAsync(BundleFixture bundle, BundleOptions options, byte[] all, IEnumerable<int> writes)
    {
        await using FileStream output = new(bundle.Path, FileMode.Create);
        await using BundleWriter writer = new(output, options);
        await writer.AddAsync(
            new EntryHeader("f", DateTimeOffset.UnixEpoch),
            async (stream, cancellation) =>
            {
                int at = 0;
                foreach (int count in writes)
                {
                    if ((count & 1) == 0)
                        stream.Write(all.AsSpan(at, count));
                    else
                        await stream.WriteAsync(all.AsMemory(at, count), cancellation);
                    at += count;
                }
            },
            CancellationToken.None);
        await writer.CompleteAsync(CancellationToken.None);
    }

    private static async Task AssertSame(BundleFixture bundle, (string Path, byte[] Bytes)[] files, EntryReceipt[] receipts, bool encrypted)
    {
        await using BundleReader reader = await bundle.OpenAsync();
        Assert.Equal(encrypted, reader.IsEncrypted);
        Assert.Equal(files.Length, reader.Entries.Count);
        await reader.AuthenticateAsync(TestContext.Current.CancellationToken);
        await Parallel.ForEachAsync(files.Zip(receipts), TestContext.Current.CancellationToken, (pair, _) =>
        {
            byte[] read = BundleFixture.ReadAll(reader, pair.First.Path);
            Assert.True(pair.First.Bytes.AsSpan().SequenceEqual(read), $"{pair.First.Path} differs");
            Assert.Equal(pair.First.Bytes.Length, pair.Second.Bytes);
            Assert.Equal(pair.First.Bytes.Length, reader.Entries[pair.First.Path].Bytes);
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(pair.First.Bytes)), pair.Second.Sha256);
            return ValueTask.CompletedTask;
        });
    }
}
