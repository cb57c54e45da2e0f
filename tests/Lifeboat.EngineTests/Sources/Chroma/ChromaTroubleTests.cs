using System.Diagnostics;
using System.Text.Json;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.Chroma;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Chroma;

/// <summary>Directories that are none or damaged, servers that still run, staged states that are not what was captured.</summary>
public sealed class ChromaTroubleTests
{
    /// <param name="make">A script that makes something else of the empty folder <c>"$1"</c>.</param>
    [Theory]
    [InlineData("rmdir \"$1\"", "LB4101", "is not there")]
    [InlineData("rmdir \"$1\"; : > \"$1\"", "LB4101", "is not a folder")]
    [InlineData(": > \"$1/notes.txt\"", "LB4101", "there is no chroma.sqlite3 in it")]
    [InlineData("mkdir \"$1/chroma.sqlite3\"", "LB4101", "there is no chroma.sqlite3 in it")]
    [InlineData(": > \"$1/chroma-collections.parquet\"", "LB4101", "before 0.4")]
    [InlineData(": > \"$1/chroma.sqlite3\"", "LB4101", "has no table migrations")]
    [InlineData("sqlite3 \"$1/chroma.sqlite3\" 'CREATE TABLE collections(id)'", "LB4101", "has no table migrations, segments")]
    [InlineData("head -c 5000 /dev/zero > \"$1/chroma.sqlite3\"", "LB4002", "not a SQLite database")]
    public async Task What_is_no_persist_directory_is_refused_with_the_reason(string make, string code, string why)
    {
        Needs.Program("sqlite3");
        using ChromaBench bench = new();
        await Shell.RunAsync($"set -- \"{Path.GetFileName(bench.Live)}\"; {make}", Path.GetDirectoryName(bench.Live)!);
        Problem found = Assert.Single(await bench.Source(bench.Live).CheckAsync(CancellationToken.None));
        LifeboatException thrown = await Assert.ThrowsAsync<LifeboatException>(() => bench.Source(bench.Live).OpenAsync(CancellationToken.None));
        foreach (Problem problem in (Problem[])[found, .. thrown.Problems])
        {
            Assert.Equal(code, problem.Code.Id);
            Assert.Contains(why, problem.Message);
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(bench.Temp));
    }

    [Fact]
    public async Task An_index_that_is_gone_is_warned_of_and_the_rest_is_captured()
    {
        using ChromaBench bench = new();
        await FillAsync(bench);
        await Shell.RunAsync("rm -r *-*-*-*-*", bench.Live);
        Problem found = Assert.Single(await bench.Source(bench.Live).CheckAsync(CancellationToken.None));
        VerifiedSnapshot snapshot = await bench.CaptureAsync();
        foreach (Problem problem in (Problem[])[found, .. bench.Host.Warnings])
        {
            Assert.Equal(ErrorCodes.ChromaIncomplete, problem.Code);
            Assert.Contains("collection notes", problem.Message);
        }

        Assert.Single(bench.Host.Warnings);
        await bench.RestoreAsync(snapshot, bench.Target);
    }

    /// <summary>What a copy of the segments that was taken before the database leaves, for one.</summary>
    [Theory]
    [InlineData("sqlite3 chroma.sqlite3 'UPDATE max_seq_id SET seq_id = seq_id + 1; DELETE FROM embeddings_queue'", "notes has 33 records, and index and queue have vectors for 24 ids")]
    [InlineData("sqlite3 chroma.sqlite3 \"UPDATE embeddings SET embedding_id = 'another' WHERE embedding_id = 'record-00007'\"", "33 records, and index and queue have vectors for 33 ids, which are others")]
    [InlineData("for f in */index_metadata.pickle; do head -c 400 $f > cut; printf . >> cut; mv cut $f; done", "cannot be read")]
    public async Task Records_without_vectors_are_warned_of(string damage, string what)
    {
        using ChromaBench bench = new();
        await FillAsync(bench);
        await Shell.RunAsync(damage, bench.Live);
        VerifiedSnapshot snapshot = await bench.CaptureAsync();
        Problem problem = Assert.Single(bench.Host.Warnings);
        Assert.Equal(ErrorCodes.ChromaIncomplete, problem.Code);
        Assert.Contains(what, problem.Message);
        await bench.RestoreAsync(snapshot, bench.Target);
    }

    [Fact]
    public async Task A_damaged_database_is_told_and_captured_as_it_is_where_it_can_be_read()
    {
        using ChromaBench bench = new();
        await FillAsync(bench);
        // A page of the full-text index, by which no record is read.
        await Shell.RunAsync(
            """
            page=$(sqlite3 chroma.sqlite3 "SELECT pageno FROM dbstat WHERE name = 'embedding_fulltext_search_data' AND pagetype = 'leaf' LIMIT 1" 2>/dev/null \
              || sqlite3 chroma.sqlite3 "SELECT rootpage FROM sqlite_master WHERE name = 'embedding_fulltext_search_data'")
            head -c 4096 /dev/zero | tr '\0' '\377' | dd of=chroma.sqlite3 bs=4096 seek=$((page - 1)) conv=notrunc status=none
            """,
            bench.Live);
        VerifiedSnapshot snapshot = await bench.CaptureAsync();
        Assert.Equal(ErrorCodes.SqliteDamaged, Assert.Single(bench.Host.Warnings).Code);
        Assert.NotEqual("ok", ChromaDetails.From(snapshot.Metadata.Sources[0]).Integrity);
        await bench.RestoreAsync(snapshot, bench.Target);
    }

    [Fact]
    public async Task A_database_that_cannot_be_read_fails_the_backup()
    {
        using ChromaBench bench = new();
        await FillAsync(bench);
        await Shell.RunAsync("truncate -s 20000 chroma.sqlite3", bench.Live);
        LifeboatException thrown = await Assert.ThrowsAsync<LifeboatException>(bench.CaptureAsync);
        Assert.Equal(ErrorCodes.SqliteDamaged, thrown.Problems[0].Code);
        Assert.Empty(Directory.EnumerateFileSystemEntries(bench.Temp));
    }

    [Fact]
    public async Task A_directory_that_never_stands_still_is_an_error_and_no_copy_is_left()
    {
        using ChromaBench bench = new();
        await FillAsync(bench);
        await Shell.RunAsync("sqlite3 chroma.sqlite3 'PRAGMA journal_mode=WAL'", bench.Live);
        using Process writer = Process.Start(new ProcessStartInfo("sh", ["-c", "while :; do touch -c */header.bin; sleep 0.05; done"]) { WorkingDirectory = bench.Live })!;
        LifeboatException thrown = await Assert.ThrowsAsync<LifeboatException>(bench.CaptureAsync);
        writer.Kill();
        Assert.Equal(ErrorCodes.ChromaChanging, thrown.Problems[0].Code);
        Assert.Empty(Directory.EnumerateFileSystemEntries(bench.Temp));
    }

    [Fact]
    public async Task A_writer_that_does_not_stand_still_is_held_up_by_the_databases_lock()
    {
        using ChromaBench bench = new();
        await FillAsync(bench);
        // As a server with a low sync_threshold: a commit, then a segment's file.
        const string write = "while :; do sqlite3 -cmd '.timeout 60000' chroma.sqlite3 'UPDATE max_seq_id SET seq_id = seq_id' && touch -c */header.bin; done";
        using Process writer = Process.Start(new ProcessStartInfo("sh", ["-c", write]) { WorkingDirectory = bench.Live })!;
        VerifiedSnapshot snapshot = await bench.CaptureAsync();
        writer.Kill(entireProcessTree: true);
        ChromaDetails details = ChromaDetails.From(snapshot.Metadata.Sources[0]);
        Assert.True(details.HeldWriters);
        Assert.True(details.Attempts > 8, $"{details.Attempts} attempts");
        await bench.RestoreAsync(snapshot, bench.Target);
    }

    [Fact]
    public async Task A_directory_that_a_server_has_open_is_not_switched_and_after_that_it_is_and_reverts()
    {
        using ChromaBench bench = new();
        await FillAsync(bench);
        VerifiedSnapshot snapshot = await bench.CaptureAsync();
        string now;
        await using (ChromaServer live = await ChromaServer.StartAsync(bench.Live))
        {
            await live.AddAsync((await live.CollectionsAsync())["notes"], new Record(900, 1));
            now = await live.DigestAsync();
            await using IRestoration early = bench.Source(bench.Live).PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun("early"));
            RestorePlan warned = await early.PlanAsync(CancellationToken.None);
            Assert.Empty(warned.Blockers); // a hook may stop the server just before the switch
            Problem warning = Assert.Single(warned.Warnings);
            Assert.Equal(ErrorCodes.ChromaInUse, warning.Code);
            Assert.Contains($"process {live.Id}", warning.Message);
            await early.StageAsync(CancellationToken.None);
            Assert.True((await early.VerifyAsync(CancellationToken.None)).Passed);
            LifeboatException refused = await Assert.ThrowsAsync<LifeboatException>(() => early.CommitAsync(CancellationToken.None));
            Assert.Equal(ErrorCodes.ChromaInUse, refused.Problems[0].Code);
            await early.DiscardAsync(CancellationToken.None);
            Assert.Equal(now, await live.DigestAsync());
        }

        await using IRestoration restoration = bench.Source(bench.Live).PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun("late"));
        RestorePlan plan = await restoration.PlanAsync(CancellationToken.None);
        Assert.Empty(plan.Blockers.Concat(plan.Warnings));
        Assert.Equal(bench.Live + "__before_late", plan.KeptAs);
        Assert.Contains("1 collections, 33 records", plan.Steps[0]);
        await restoration.StageAsync(CancellationToken.None);
        Assert.True((await restoration.VerifyAsync(CancellationToken.None)).Passed);
        await restoration.CommitAsync(CancellationToken.None);
        await using (ChromaServer restored = await ChromaServer.StartAsync(bench.Live))
            Assert.Equal(33, await restored.CountAsync((await restored.CollectionsAsync())["notes"]));
        await restoration.RevertAsync(CancellationToken.None);
        await using ChromaServer reverted = await ChromaServer.StartAsync(bench.Live);
        Assert.Equal(now, await reverted.DigestAsync());
    }

    [Theory]
    [InlineData("printf x | dd of=chroma.sqlite3 bs=1 seek=9000 conv=notrunc status=none", "contents: chroma.sqlite3")]
    [InlineData("printf x >> */data_level0.bin", "/data_level0.bin")]
    [InlineData("rm */index_metadata.pickle", "/index_metadata.pickle")]
    [InlineData("sqlite3 chroma.sqlite3 \"DELETE FROM embeddings WHERE id = 7\"", "collection notes")]
    [InlineData("sqlite3 chroma.sqlite3 \"DELETE FROM collections\"", "collections")]
    [InlineData("truncate -s 0 chroma.sqlite3", "chroma.sqlite3")]
    public async Task A_staged_directory_that_differs_is_found(string alter, string subject)
    {
        using ChromaBench bench = new();
        await FillAsync(bench);
        VerifiedSnapshot snapshot = await bench.CaptureAsync();
        await using IRestoration restoration = bench.Source(bench.Target).PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun("r1"));
        await restoration.StageAsync(CancellationToken.None);
        await Shell.RunAsync(alter, bench.Target + "__staging_r1");
        VerifyReport report = await restoration.VerifyAsync(CancellationToken.None);
        Assert.Contains(report.Checks, check => !check.Passed && check.Subject.Contains(subject, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Metadata_that_counts_otherwise_is_found()
    {
        using ChromaBench bench = new();
        await FillAsync(bench);
        VerifiedSnapshot snapshot = await bench.CaptureAsync();
        SourceMetadata captured = snapshot.Metadata.Sources[0];
        string details = captured.Details!.Value.GetRawText().Replace("\"records\": 33", "\"records\": 34", StringComparison.Ordinal).Replace("\"records\":33", "\"records\":34", StringComparison.Ordinal);
        captured = captured with { Details = JsonDocument.Parse(details).RootElement };
        await using IRestoration restoration = bench.Source(bench.Target).PrepareRestore(snapshot, captured, new RestoreRun("r1"));
        await restoration.StageAsync(CancellationToken.None);
        VerifyReport report = await restoration.VerifyAsync(CancellationToken.None);
        Assert.Equal("collection notes", Assert.Single(report.Checks, static check => !check.Passed).Subject);
    }

    [Fact]
    public async Task What_else_is_in_the_directory_comes_back_with_modes_owners_and_times()
    {
        Needs.Root();
        using ChromaBench bench = new();
        await FillAsync(bench);
        await Shell.RunAsync(
            """
            mkdir -p 'kept too/empty' 00000000-0000-4000-8000-000000000000; echo hello > 'kept too/a note'; ln -s nowhere link; echo x > 00000000-0000-4000-8000-000000000000/data_level0.bin
            echo y > .lifeboat_before_old; : > chroma.sqlite3-journal
            chmod 711 . 'kept too'; chmod 600 chroma.sqlite3; chown 1234:4321 chroma.sqlite3 'kept too/a note'; touch -d @1500000000.123456789 *-*-*-*-*/header.bin 'kept too/a note'
            touch -d @1600000000 .
            """,
            bench.Live);
        const string list = "find . ! -path './0000*' ! -name .lifeboat_before_old ! -name chroma.sqlite3-journal -printf '%p %y %m %U:%G %T@ %s %l\\n' | sort; find . -name '*.bin' ! -path './0000*' -exec sha256sum {} + | sort";
        string before = await Shell.RunAsync(list, bench.Live);
        VerifiedSnapshot snapshot = await bench.CaptureAsync();
        Assert.Equal(1, ChromaDetails.From(snapshot.Metadata.Sources[0]).LeftOver);
        await bench.RestoreAsync(snapshot, bench.Target);
        Assert.Equal(before, await Shell.RunAsync(list, bench.Target));
        Assert.Empty(await Shell.RunAsync("ls -d 0000* .lifeboat* *-journal 2>/dev/null || true", bench.Target));
        Assert.Equal(before, await Shell.RunAsync(list, bench.Live));
    }

    [Fact]
    public async Task A_capture_that_is_stopped_leaves_nothing_in_the_temporary_folder()
    {
        using ChromaBench bench = new();
        await FillAsync(bench);
        using CancellationTokenSource stop = new();
        stop.CancelAfter(TimeSpan.FromMilliseconds(100)); // it waits longer than that for the files to stand still
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => bench.Source(bench.Live).OpenAsync(stop.Token));
        Assert.Empty(Directory.EnumerateFileSystemEntries(bench.Temp));
    }

    /// <summary>One collection of 33 records, 24 of them in the index; the server is gone afterwards.</summary>
    private static async Task FillAsync(ChromaBench bench)
    {
        await using ChromaServer server = await ChromaServer.StartAsync(bench.Live);
        string notes = await server.CreateAsync("notes", syncThreshold: 10);
        for (int i = 0; i < 33; i += 3)
            await server.AddAsync(notes, new Record(i, 0), new Record(i + 1, 0), new Record(i + 2, 0));
    }
}
