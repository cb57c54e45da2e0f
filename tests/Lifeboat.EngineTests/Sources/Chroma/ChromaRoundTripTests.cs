using System.Globalization;
using System.Text.Json.Nodes;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Chroma;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Chroma;

/// <summary>What is captured beside a server that writes, read back by a second server.</summary>
public sealed class ChromaRoundTripTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_second_server_gives_the_same_records_and_the_same_neighbours_at_the_same_distances()
    {
        using ChromaBench bench = new();
        await using ChromaServer live = await ChromaServer.StartAsync(bench.Live);
        string below = await live.CreateAsync("below-the-threshold");
        string above = await live.CreateAsync("above-the-threshold", syncThreshold: 25);
        await live.CreateAsync("empty");
        foreach (string collection in (string[])[below, above])
        {
            for (int i = 0; i < 120; i += 10)
                await live.AddAsync(collection, [.. Enumerable.Range(i, 10).Select(static number => new Record(number, 0))]);
            await live.UpdateAsync(collection, new Record(3, 1), new Record(77, 2));
            await live.DeleteAsync(collection, Record.IdOf(5), Record.IdOf(50));
            await live.UpsertAsync(collection, new Record(5, 9), new Record(500, 1));
        }

        string dropped = await live.CreateAsync("dropped", syncThreshold: 5);
        await live.AddAsync(dropped, [.. Enumerable.Range(0, 20).Select(static number => new Record(number, 0))]);
        await live.DropAsync("dropped");

        VerifiedSnapshot snapshot = await bench.CaptureAsync();

        SourceMetadata captured = snapshot.Metadata.Sources[0];
        ChromaDetails details = ChromaDetails.From(captured);
        Assert.Equal(("1.0 to 1.2", "ok", "Chroma 1.0 to 1.2"), (details.Version, details.Integrity, captured.Engine));
        Assert.Equal(
            [("above-the-threshold", 120, 8), ("below-the-threshold", 120, 8), ("empty", 0, null)],
            details.Collections.Select(static one => (one.Name, one.Records, one.Dimension)));
        Assert.Equal([true, false, false], details.Collections.Select(static one => one.IndexedTo > 0));
        Assert.Equal(1, details.LeftOver);
        Assert.Equal(details.Collections.Select(static one => (one.Name, one.Records)), captured.Tables!.Select(static table => (table.Name, table.Rows)));
        Assert.Empty(bench.Host.Warnings);

        await bench.RestoreAsync(snapshot, bench.Target);
        await using ChromaServer second = await ChromaServer.StartAsync(bench.Target);
        Assert.Equal(await live.DigestAsync(), await second.DigestAsync());
        foreach (string collection in (string[])[below, above])
            foreach (int number in (int[])[3, 5, 77, 50, 500])
                Assert.Equal(
                    await live.QueryAsync(collection, new Record(number, 1).Vector, 15), await second.QueryAsync(collection, new Record(number, 1).Vector, 15));
    }

    /// <summary>
    /// One writer for each collection, which knows of each record the last version that the server acknowledged before a capture, and the last one that
    /// it had sent by the end of it: what a second server has lies between the two, in vector, metadata and document alike.
    /// </summary>
    [Theory]
    [InlineData(false, 2, 400)] // so low that the server is held up in the end
    [InlineData(false, 20, 1000)]
    [InlineData(true, 20, 1000)]
    public async Task Every_write_that_was_acknowledged_before_a_capture_is_in_it(bool wal, params int[] thresholds)
    {
        using ChromaBench bench = new();
        await using ChromaServer live = await bench.StartLiveAsync(wal);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        List<Writer> writers = [];
        foreach (int threshold in thresholds)
            writers.Add(new Writer(live, await live.CreateAsync($"threshold-{threshold}", threshold), seed: threshold));
        Task[] writing = [.. writers.Select(writer => Task.Run(() => writer.RunAsync(stop.Token), Cancellation))];
        for (int round = 0; round < 2; round++)
        {
            foreach (Writer writer in writers)
                await writer.ReachAsync(writer.Acknowledged + 45, Cancellation);
            Dictionary<string, int>[] before = [.. writers.Select(static writer => writer.Confirmed())];
            VerifiedSnapshot snapshot = await bench.CaptureAsync();
            Dictionary<string, int>[] after = [.. writers.Select(static writer => writer.Sent())];
            ChromaDetails details = ChromaDetails.From(snapshot.Metadata.Sources[0]);
            Assert.Equal(wal ? "wal" : "rollback", details.JournalMode);
            TestContext.Current.TestOutputHelper!.WriteLine($"{details.Attempts} attempts, held: {details.HeldWriters}");

            string target = bench[$"round{round}"];
            await bench.RestoreAsync(snapshot, target);
            await using ChromaServer second = await ChromaServer.StartAsync(target);
            for (int i = 0; i < writers.Count; i++)
            {
                await CompareAsync(second, writers[i].Collection, before[i], after[i]);
                Assert.Equal(details.Collections.Single(one => one.Id == writers[i].Collection).Records, await second.CountAsync(writers[i].Collection));
            }
        }

        await stop.CancelAsync();
        await Task.WhenAll(writing);
        Assert.Empty(bench.Host.Warnings);
    }

    [Fact]
    public async Task Collections_that_come_and_go_while_they_are_captured_are_in_it_whole_or_not_at_all()
    {
        using ChromaBench bench = new();
        await using ChromaServer live = await ChromaServer.StartAsync(bench.Live);
        string stays = await live.CreateAsync("stays", syncThreshold: 10);
        await live.AddAsync(stays, Records(0, 35));
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        int turns = 0;
        Task churning = Task.Run(
            async () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    string name = $"comes-and-goes-{turns % 3}";
                    string id = await live.CreateAsync(name, syncThreshold: 5);
                    await live.AddAsync(id, Records(0, 8));
                    await live.AddAsync(id, Records(8, 8));
                    await live.DropAsync(name);
                    turns++;
                }
            },
            Cancellation);
        for (int round = 0; round < 4; round++)
        {
            int seen = turns;
            while (turns < seen + 2)
                await Task.Delay(10, Cancellation);
            VerifiedSnapshot snapshot = await bench.CaptureAsync();
            string target = bench[$"round{round}"];
            await bench.RestoreAsync(snapshot, target);
            await using ChromaServer second = await ChromaServer.StartAsync(target);
            IReadOnlyDictionary<string, string> there = await second.CollectionsAsync();
            IReadOnlyList<ChromaCollection> captured = ChromaDetails.From(snapshot.Metadata.Sources[0]).Collections;
            Assert.Equal(captured.Select(static one => one.Name).Order(), there.Keys.Order());
            foreach (ChromaCollection collection in captured)
            {
                Assert.Contains(collection.Records, collection.Name == "stays" ? [35] : (long[])[0, 8, 16]);
                SortedDictionary<string, JsonObject> records = await second.RecordsAsync(collection.Id);
                Assert.Equal(collection.Records, records.Count);
                Assert.All(Records(0, records.Count), record => AssertIs(record, records[record.Id]));
            }
        }

        await stop.CancelAsync();
        await churning;
    }

    [Fact]
    public async Task The_instructions_restore_the_directory_with_stock_tools()
    {
        Needs.Root();
        Needs.Program("bsdtar");
        using ChromaBench bench = new();
        await using ChromaServer live = await ChromaServer.StartAsync(bench.Live);
        await live.AddAsync(await live.CreateAsync("notes", syncThreshold: 10), Records(0, 33));
        await bench.CaptureAsync();
        string said = await Shell.RunAsync(bench.ShellBlocks(), bench.Snapshot);
        Assert.Equal("ok\n", said);
        await using ChromaServer second = await ChromaServer.StartAsync(Path.Combine(bench.Snapshot, "restored/vec"));
        Assert.Equal(await live.DigestAsync(), await second.DigestAsync());
    }

    private static Record[] Records(int first, int count) => [.. Enumerable.Range(first, count).Select(static number => new Record(number, 0))];

    private static void AssertIs(Record expected, JsonObject found)
    {
        Assert.Equal(expected.Vector, found["embedding"]!.AsArray().Select(static value => value!.GetValue<float>()));
        Assert.Equal(expected.Document, found["document"]!.GetValue<string>());
        Assert.Equal(expected.Version, found["metadata"]!["version"]!.GetValue<int>());
    }

    private static async Task CompareAsync(ChromaServer server, string collection, Dictionary<string, int> before, Dictionary<string, int> after)
    {
        SortedDictionary<string, JsonObject> records = await server.RecordsAsync(collection);
        foreach ((string id, int sent) in after)
        {
            int confirmed = before.GetValueOrDefault(id, -1);
            int found = -1;
            if (records.Remove(id, out JsonObject? record))
            {
                found = record["metadata"]!["version"]!.GetValue<int>();
                AssertIs(new Record(int.Parse(id[^5..], CultureInfo.InvariantCulture), found), record);
            }
            else
            {
                // A version in which it was deleted.
                found = Enumerable.Range(confirmed, sent - confirmed + 1).LastOrDefault(Writer.IsDeletion, int.MinValue);
            }

            Assert.InRange(found, confirmed, sent);
        }

        Assert.Empty(records);
    }

    /// <summary>Writes records in ever higher versions; every fifth version of a record is its deletion.</summary>
    private sealed class Writer(ChromaServer server, string collection, int seed)
    {
        private readonly Lock _lock = new();
        private readonly Dictionary<string, int> _confirmed = [];
        private readonly Dictionary<string, int> _sent = [];
        private readonly Random _random = new(seed);
        private volatile int _acknowledged;

        public string Collection => collection;

        public int Acknowledged => _acknowledged;

        public static bool IsDeletion(int version) => version == -1 || version % 5 == 4;

        public Dictionary<string, int> Confirmed()
        {
            lock (_lock)
                return new(_confirmed);
        }

        public Dictionary<string, int> Sent()
        {
            lock (_lock)
                return new(_sent);
        }

        public async Task ReachAsync(int acknowledged, CancellationToken cancellation)
        {
            while (_acknowledged < acknowledged)
                await Task.Delay(10, cancellation);
        }

        public async Task RunAsync(CancellationToken cancellation)
        {
            while (!cancellation.IsCancellationRequested)
            {
                int number = _random.Next(150);
                string id = Record.IdOf(number);
                int version = _sent.GetValueOrDefault(id, -1) + 1;
                lock (_lock)
                    _sent[id] = version;
                Record record = new(number, version);
                if (IsDeletion(version))
                    await server.DeleteAsync(collection, id);
                else if (version % 5 == 0)
                    await server.AddAsync(collection, record);
                else if (version % 5 == 1)
                    await server.UpdateAsync(collection, record);
                else
                    await server.UpsertAsync(collection, record);
                lock (_lock)
                    _confirmed[id] = version;
                _acknowledged++;
            }
        }
    }
}
