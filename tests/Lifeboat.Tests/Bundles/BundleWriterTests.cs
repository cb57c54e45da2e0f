using Lifeboat.Engine.Bundles;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Tests.Shared;

namespace Lifeboat.Tests.Bundles;

public sealed class BundleWriterTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    [Theory]
    [InlineData(1)]
    [InlineData(100_000)]
    [InlineData(3_000_000)]
    public async Task Many_at_once_with_little_memory_all_get_through(int budget)
    {
        using BundleFixture bundle = new();
        BundleOptions options = bundle.Options() with { BufferBytes = budget, BlockBytes = 10_000, StreamBytes = 20_000 };
        (string Path, byte[] Bytes)[] files =
            [.. Enumerable.Range(0, 300).Select(static i => ($"f/{i}", BundleFixture.Noise(i, i * 997 % 200_000)))];
        await using (FileStream output = new(bundle.Path, FileMode.Create))
        await using (BundleWriter writer = new(output, options))
        {
            // Some of them block threads of the pool, which has fewer to begin with and grows by a few a second: the writer must not need those.
            IEnumerable<Task> all = files.Select((file, i) => i % 15 == 0
                ? Task.Run(() => BundleFixture.AddAsync(writer, file.Path, file.Bytes))
                : AddAsynchronouslyAsync(writer, file.Path, file.Bytes));
            await Task.WhenAll(all).WaitAsync(Patience, TestContext.Current.CancellationToken);
            await writer.CompleteAsync(TestContext.Current.CancellationToken);
        }

        await using BundleReader reader = await bundle.OpenAsync();
        Assert.All(files, file => Assert.True(file.Bytes.AsSpan().SequenceEqual(BundleFixture.ReadAll(reader, file.Path)), file.Path));
    }

    [Fact]
    public async Task A_slow_file_does_not_hold_up_finished_ones()
    {
        using BundleFixture bundle = new();
        await using FileStream output = new(bundle.Path, FileMode.Create);
        await using BundleWriter writer = new(output, bundle.Options());
        TaskCompletionSource go = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<EntryReceipt> slow = writer.AddAsync(
            new EntryHeader("slow", DateTimeOffset.UnixEpoch),
            async (stream, _) =>
            {
                stream.Write(new byte[2_000_000]);
                await go.Task;
            },
            TestContext.Current.CancellationToken);
        for (int i = 0; i < 3000; i++)
            await BundleFixture.AddAsync(writer, $"quick/{i}", BundleFixture.Noise(i, 1000))
                .WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.False(slow.IsCompleted);
        go.SetResult();
        await slow;
        await writer.CompleteAsync(TestContext.Current.CancellationToken);
        await using BundleReader reader = await bundle.OpenAsync();
        Assert.Equal(3001, reader.Entries.Count);
    }

    [Theory]
    [InlineData(10, false)]
    [InlineData(10, true)]
    [InlineData(12_000_000, false)]
    [InlineData(12_000_000, true)]
    public async Task A_file_whose_body_fails_is_not_in_the_bundle_and_can_be_added_again(int written, bool first)
    {
        using BundleFixture bundle = new();
        byte[] noise = BundleFixture.Noise(1, 12_000_000);
        await using (FileStream output = new(bundle.Path, FileMode.Create))
        await using (BundleWriter writer = new(output, bundle.Options() with { StreamBytes = 100_000 }))
        {
            if (!first)
                await BundleFixture.AddAsync(writer, "before", [1]);
            InvalidOperationException thrown = await Assert.ThrowsAsync<InvalidOperationException>(() => writer.AddAsync(
                new EntryHeader("f", DateTimeOffset.UnixEpoch),
                (stream, _) =>
                {
                    stream.Write(noise.AsSpan(0, written));
                    Thread.Sleep(100); // so that some of it is already written
                    throw new InvalidOperationException("it changed while it was read");
                },
                TestContext.Current.CancellationToken));
            Assert.Equal("it changed while it was read", thrown.Message);
            await BundleFixture.AddAsync(writer, "f", noise);
            await writer.CompleteAsync(TestContext.Current.CancellationToken);
        }

        await using BundleReader reader = await bundle.OpenAsync();
        await reader.AuthenticateAsync(TestContext.Current.CancellationToken);
        Assert.Equal(first ? 1 : 2, reader.Entries.Count);
        Assert.True(noise.AsSpan().SequenceEqual(BundleFixture.ReadAll(reader, "f")));
    }

    [Fact]
    public async Task Cancelling_a_file_that_waits_for_room_lets_the_others_go_on()
    {
        using BundleFixture bundle = new();
        await using FileStream output = new(bundle.Path, FileMode.Create);
        await using BundleWriter writer = new(output, bundle.Options() with { BufferBytes = 1 });
        using CancellationTokenSource cancel = new();
        TaskCompletionSource go = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource streaming = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task head = writer.AddAsync(
            new EntryHeader("head", DateTimeOffset.UnixEpoch),
            async (stream, _) =>
            {
                stream.Write(new byte[3 << 20]);
                streaming.SetResult();
                await go.Task;
            },
            CancellationToken.None);
        await streaming.Task;
        Task waits = writer.AddAsync(
            new EntryHeader("waits", DateTimeOffset.UnixEpoch),
            async (stream, token) => await stream.WriteAsync(new byte[3 << 20], token),
            cancel.Token);
        await Task.Delay(50, TestContext.Current.CancellationToken);
        Assert.False(waits.IsCompleted);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waits);
        go.SetResult();
        await head;
        await writer.CompleteAsync(TestContext.Current.CancellationToken);
        await using BundleReader reader = await bundle.OpenAsync();
        Assert.Equal(["head"], reader.Entries.Keys);
    }

    [Fact]
    public async Task An_output_that_fails_fails_everything_from_then_on()
    {
        using BundleFixture bundle = new();
        await using BundleWriter writer = new(new FailingStream(1 << 20), bundle.Options() with { BufferBytes = 1 << 20 });
        Task[] adding = [.. Enumerable.Range(0, 8)
            .Select(i => Task.Run(() => BundleFixture.AddAsync(writer, $"f/{i}", BundleFixture.Noise(i, 20 << 20))))];
        foreach (Task add in adding)
        {
            LifeboatException failed = await Assert.ThrowsAsync<LifeboatException>(() => add)
                .WaitAsync(Patience, TestContext.Current.CancellationToken);
            Assert.Equal(ErrorCodes.StorageFailed, failed.Code);
        }

        await Assert.ThrowsAsync<LifeboatException>(() => BundleFixture.AddAsync(writer, "late", []));
        await Assert.ThrowsAsync<LifeboatException>(() => writer.CompleteAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task An_output_that_fails_at_the_very_end_fails_the_completion()
    {
        using BundleFixture bundle = new();
        await using BundleWriter writer = new(new FailingStream(0), bundle.Options());
        await BundleFixture.AddAsync(writer, "f", [1, 2, 3]);
        LifeboatException failed =
            await Assert.ThrowsAsync<LifeboatException>(() => writer.CompleteAsync(TestContext.Current.CancellationToken));
        Assert.Equal(ErrorCodes.StorageFailed, failed.Code);
    }

    [Fact]
    public async Task Disposing_without_completing_leaves_no_bundle_and_no_thread_waiting()
    {
        using BundleFixture bundle = new();
        await using (FileStream output = new(bundle.Path, FileMode.Create))
        await using (BundleWriter writer = new(output, bundle.Options()))
            await BundleFixture.AddAsync(writer, "f", BundleFixture.Noise(1, 10 << 20));
        LifeboatException refused = await Assert.ThrowsAsync<LifeboatException>(() => bundle.OpenAsync());
        Assert.True(refused.Code == ErrorCodes.BundleDamaged || refused.Code == ErrorCodes.NotABundle);
    }

    [Fact]
    public async Task Paths_that_are_not_snapshot_paths_or_come_twice_are_refused()
    {
        using BundleFixture bundle = new();
        await using BundleWriter writer = new(Stream.Null, bundle.Options());
        foreach (string path in (string[])["", "/a", "../a", "a//b", "a\\b", "C:/a", "a\n", "about-this-bundle.txt"])
            await Assert.ThrowsAsync<ArgumentException>(() => BundleFixture.AddAsync(writer, path, []));
        await BundleFixture.AddAsync(writer, "a", []);
        await Assert.ThrowsAsync<ArgumentException>(() => BundleFixture.AddAsync(writer, "a", []));
        await BundleFixture.AddAsync(writer, "a/b", []);
        await Assert.ThrowsAsync<InvalidOperationException>(() => writer.CompleteAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Memory_stays_bounded_however_much_is_written()
    {
        using BundleFixture bundle = new();
        byte[] noise = BundleFixture.Noise(1, 1 << 20);
        await using BundleWriter writer = new(Stream.Null, bundle.Options() with { BufferBytes = 16 << 20 });
        long before = GC.GetTotalMemory(forceFullCollection: true);
        long most = 0;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Task.Run(() => writer.AddAsync(
            new EntryHeader($"f/{i}", DateTimeOffset.UnixEpoch),
            (stream, _) =>
            {
                for (int written = 0; written < 150; written++)
                {
                    stream.Write(noise);
                    if (written % 25 == 0)
                        InterlockedMax(ref most, GC.GetTotalMemory(forceFullCollection: true));
                }

                return Task.CompletedTask;
            },
            CancellationToken.None))));
        await writer.CompleteAsync(TestContext.Current.CancellationToken);

        // 16 MiB of waiting data, 8 of the streamed entry, 4 + 6 blocks of 1 MiB, two compressors; what tests beside this one use is counted too. 600 MiB are written.
        Assert.True(most - before < 200 << 20, $"{(most - before) >> 20} MiB");
    }

    private static Task<EntryReceipt> AddAsynchronouslyAsync(BundleWriter writer, string path, byte[] bytes) => writer.AddAsync(
        new EntryHeader(path, DateTimeOffset.UnixEpoch),
        async (stream, cancellation) =>
        {
            for (int at = 0; at < bytes.Length; at += 7000)
            {
                await Task.Yield();
                await stream.WriteAsync(bytes.AsMemory(at, Math.Min(7000, bytes.Length - at)), cancellation);
            }
        },
        CancellationToken.None);

    private static void InterlockedMax(ref long most, long value)
    {
        long seen;
        while ((seen = Interlocked.Read(ref most)) < value)
            Interlocked.CompareExchange(ref most, value, seen);
    }

    /// <summary>A disk that breaks after some bytes. (A disk that is really full: see the engine tests.)</summary>
    private sealed class FailingStream(long capacity) : MemoryStream
    {
        private long _written;

        public override void Write(byte[] buffer, int offset, int count)
        {
            _written += count;
            if (_written > capacity)
                throw new IOException("the disk is gone");
        }
    }
}
