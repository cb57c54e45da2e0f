using System.Diagnostics;
using System.Text;
using Lifeboat.Engine.Bundles;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Tests.Shared;

namespace Lifeboat.Tests.Snapshots;

/// <summary>Bundles of some kilobytes whose files would unpack to hundreds of megabytes.</summary>
public sealed class HeldTextTests : IDisposable
{
    private readonly BundleFixture _bundle = new();

    public void Dispose() => _bundle.Dispose();

    [Theory]
    [InlineData(VerifiedSnapshot.MetadataFileName)]
    [InlineData(Checksums.FileName)]
    public async Task A_text_that_unpacks_to_much_more_than_it_can_have_is_refused_before_it_is_read(string file)
    {
        byte[] bomb = new byte[64 << 20];
        Array.Fill(bomb, (byte)' ');
        await _bundle.WriteAsync(
            _bundle.Options(encrypted: false), (VerifiedSnapshot.MetadataFileName, file == VerifiedSnapshot.MetadataFileName ? bomb : BundleFixture.Metadata()),
            (Checksums.FileName, file == Checksums.FileName ? bomb : Encoding.ASCII.GetBytes($"{new string('a', 64)}  {VerifiedSnapshot.MetadataFileName}\n")));
        Assert.InRange(new FileInfo(_bundle.Path).Length, 1, 100_000);
        bomb = [];
        long allocated = GC.GetTotalAllocatedBytes(precise: true), begun = Stopwatch.GetTimestamp();
        LifeboatException refused = await Assert.ThrowsAsync<LifeboatException>(OpenAsync);
        Assert.Equal(ErrorCodes.BundleDamaged, refused.Code);
        Assert.Contains("cannot have more than", refused.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - allocated, 0, 64 << 20);
        Assert.InRange(Stopwatch.GetElapsedTime(begun), TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task Texts_of_real_sizes_are_read()
    {
        await _bundle.WriteSnapshotAsync(_bundle.Options(encrypted: false), ("databases/main/schema.sql", BundleFixture.Text(7, 6 << 20)));
        await using VerifiedSnapshot snapshot = await VerifiedSnapshot.OpenAsync(await _bundle.OpenAsync(), CancellationToken.None);
        await using Stream text = snapshot.OpenHeld("databases/main/schema.sql");
        await text.CopyToAsync(Stream.Null, TestContext.Current.CancellationToken);
        Assert.Throws<LifeboatException>(() => snapshot.OpenHeld("databases/main/schema.sql", described: 1 << 20));
    }

    private async Task OpenAsync()
    {
        BundleReader reader = await _bundle.OpenAsync();
        await using VerifiedSnapshot snapshot = await VerifiedSnapshot.OpenAsync(reader, CancellationToken.None);
    }
}
