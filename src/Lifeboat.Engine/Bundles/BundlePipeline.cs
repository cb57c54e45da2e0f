using System.Buffers;
using System.Collections.Concurrent;
using Lifeboat.Engine.Secrets;

namespace Lifeboat.Engine.Bundles;

/// <summary>
/// Takes the blocks of many entries at once, has them compressed by several threads, and has them written by one, entry after entry.
/// <para>
/// An entry that is complete is written whole, in the order of completion. One that grows large, or is held up because the memory
/// for waiting blocks is used up, is written while it is produced; there is one such at a time, and it does not count
/// against that memory but has its own allowance. So there is always something that can go on: a compressed
/// block waits for nothing but the output, a block waits for nothing but a compressor, and an entry that waits for memory is the next to be
/// written. The threads are the pipeline's own: bodies that block the thread pool's do not stop it.
/// </para>
/// </summary>
internal sealed class BundlePipeline : IAsyncDisposable
{
    private readonly BundleOptions _options;
    private readonly BundleOutput _output;
    private readonly SegmentPool _segments = new();
    private readonly ConcurrentQueue<EntryKeys> _keys = new();
    private readonly int _maxInFlight;
    private readonly long _streamAllowance;
    private readonly Task[] _threads;
    private readonly TaskCompletionSource _completed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Guarded by _workGate.
    private readonly object _workGate = new();
    private readonly Queue<EntryBlock> _work = new();
    private bool _noMoreWork;

    // Guarded by _gate, like the entries' own state.
    private readonly object _gate = new();
    private readonly HashSet<OpenEntry> _open = [];
    private readonly Queue<OpenEntry> _whole = new();
    private readonly List<Waiter> _waiting = [];
    private OpenEntry? _streaming;
    private Exception? _fault;
    private long _held;
    private int _inFlight;
    private bool _completing;
    private bool _stopped;

    public BundlePipeline(BundleOutput output, BundleOptions options, Func<IBlockCompressor> createCompressor)
    {
        _options = options;
        _output = output;
        int workers = Math.Max(1, options.Host.Workers);
        _maxInFlight = (workers * 2) + 2;
        _streamAllowance = (long)(_maxInFlight + 2) * options.BlockBytes;
        _threads = [Start(WriteEntries), .. Enumerable.Range(0, workers).Select(_ => Start(() => CompressBlocks(createCompressor)))];
    }

    private enum StepKind
    {
        Stop,
        Complete,
        Whole,
        StartStreaming,
        Block,
        EndStreaming,
        Drop,
    }

    public OpenEntry Open(Snapshots.EntryHeader header)
    {
        OpenEntry entry = new(header);
        lock (_gate)
        {
            ThrowIfFailed();
            if (_completing)
                throw new InvalidOperationException("the bundle is complete; nothing can be added to it");
            _open.Add(entry);
        }

        return entry;
    }

    /// <summary>Hands a block in. Gives null when it was taken, or else a task: when it ends, try again.</summary>
    /// <param name="close">For the last block: sets what is final of the entry.</param>
    public Task? TrySubmit(EntryBlock block, Action<OpenEntry>? close)
    {
        OpenEntry entry = block.Entry;
        lock (_gate)
        {
            ThrowIfFailed();
            if (!HasRoom(entry, block.Reserved))
            {
                Waiter waiter = new(entry, block.Reserved);
                _waiting.Add(waiter);
                Monitor.Pulse(_gate); // the entry may have to become the one that is streamed
                return waiter.Woken.Task;
            }

            entry.Blocks.Enqueue(block);
            entry.Held += block.Reserved;
            entry.Uncompressed++;
            _held += block.Reserved;
            _inFlight++;
            if (block.Last)
            {
                entry.Closed = true;
                close?.Invoke(entry);
            }
        }

        lock (_workGate)
        {
            _work.Enqueue(block);
            Monitor.Pulse(_workGate);
        }

        return null;
    }

    /// <summary>Forgets an entry whose body failed.</summary>
    public void Abort(OpenEntry entry)
    {
        lock (_gate)
        {
            entry.Aborted = true;
            _open.Remove(entry);
            _waiting.RemoveAll(waiter => waiter.Entry == entry);
            while (entry.Blocks.TryDequeue(out EntryBlock? block))
                if (block.IsCompressed)
                    Release(block);
            WakeWaiters();
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Writes what is left, and the central directory.</summary>
    public async Task CompleteAsync(CancellationToken cancellation)
    {
        lock (_gate)
        {
            ThrowIfFailed();
            if (_completing || _open.Any(static entry => !entry.Closed))
                throw new InvalidOperationException("files are still being added, or the bundle is complete already");
            _completing = true;
            Monitor.Pulse(_gate);
        }

        await _completed.Task.WaitAsync(cancellation);
        lock (_gate)
            ThrowIfFailed();
    }

    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _stopped = true;
            WakeAll();
        }

        lock (_workGate)
        {
            _noMoreWork = true;
            Monitor.PulseAll(_workGate);
        }

        await Task.WhenAll(_threads);
        _output.Dispose();
    }

    // From here to NextToStream all is called under _gate.
    private void ThrowIfFailed()
    {
        ObjectDisposedException.ThrowIf(_stopped, this);
        if (_fault is Errors.LifeboatException known)
            throw new Errors.LifeboatException(known.Problems, known);
        if (_fault is not null)
            throw new InvalidOperationException("writing the bundle failed", _fault);
    }

    private bool HasRoom(OpenEntry entry, long bytes) => _inFlight < _maxInFlight && HasMemory(entry, bytes);

    private bool HasMemory(OpenEntry entry, long bytes) => entry == _streaming
        ? entry.Held == 0 || entry.Held + bytes <= _streamAllowance
        : _held - (_streaming?.Held ?? 0) + bytes <= _options.BufferBytes;

    private void Release(EntryBlock block)
    {
        block.Entry.Held -= block.SegmentBytes;
        block.Entry.Compressed -= block.SegmentBytes;
        _held -= block.SegmentBytes;
        _segments.Return(block.Segments);
    }

    private void WakeWaiters()
    {
        for (int i = _waiting.Count - 1; i >= 0; i--)
        {
            if (!HasRoom(_waiting[i].Entry, _waiting[i].Bytes))
                continue;
            _waiting[i].Woken.TrySetResult();
            _waiting.RemoveAt(i);
        }
    }

    private void WakeAll()
    {
        foreach (Waiter waiter in _waiting)
            waiter.Woken.TrySetResult();
        _waiting.Clear();
        Monitor.PulseAll(_gate);
    }

    private void Fail(Exception error)
    {
        lock (_gate)
        {
            _fault ??= error is IOException or UnauthorizedAccessException ? Storage.StorageErrors.Writing(error, "the bundle") : error;
            WakeAll();
        }

        _completed.TrySetResult();
    }

    /// <summary>What the writing thread does next; null to wait.</summary>
    private Step? NextStep()
    {
        if (_stopped || _fault is not null)
            return new Step(StepKind.Stop);
        if (_streaming is not null)
            return NextStreamingStep(_streaming);
        if (_whole.TryDequeue(out OpenEntry? whole))
            return new Step(StepKind.Whole, whole);
        if (NextToStream() is { } next)
        {
            _streaming = next;
            WakeWaiters();
            return new Step(StepKind.StartStreaming, next);
        }

        return _completing && _open.Count == 0 ? new Step(StepKind.Complete) : null;
    }

    private Step? NextStreamingStep(OpenEntry entry)
    {
        if (entry.Aborted || (entry.Closed && entry.Blocks.Count == 0))
        {
            _streaming = null;
            _open.Remove(entry);
            WakeWaiters();
            return new Step(entry.Aborted ? StepKind.Drop : StepKind.EndStreaming, entry);
        }

        bool ready = entry.Blocks.TryPeek(out EntryBlock? block) && block.IsCompressed;
        return ready ? new Step(StepKind.Block, entry, entry.Blocks.Dequeue()) : null;
    }

    /// <summary>The entry with most to write, of those that are large or wait for memory.</summary>
    private OpenEntry? NextToStream()
    {
        OpenEntry? best = null;
        foreach (OpenEntry entry in _open)
        {
            bool waits = _waiting.Exists(waiter => waiter.Entry == entry && !HasMemory(entry, waiter.Bytes));
            bool large = entry.Compressed >= _options.StreamBytes;
            if (!entry.Closed && (waits || large) && entry.Held >= (best?.Held ?? 0))
                best = entry;
        }

        return best;
    }

    private void WriteEntries()
    {
        while (true)
        {
            Step step;
            lock (_gate)
            {
                Step? next;
                while ((next = NextStep()) is null)
                    Monitor.Wait(_gate);
                step = next.Value;
            }

            if (step.Kind == StepKind.Stop)
                return;
            Take(step);
            if (step.Kind == StepKind.Complete)
            {
                _completed.TrySetResult();
                return;
            }
        }
    }

    private void Take(Step step)
    {
        switch (step.Kind)
        {
            case StepKind.Whole:
                _output.WriteWhole(step.Entry!);
                lock (_gate)
                {
                    while (step.Entry!.Blocks.TryDequeue(out EntryBlock? block))
                        Release(block);
                    WakeWaiters();
                }
                break;
            case StepKind.StartStreaming:
                _output.StartStreaming(step.Entry!);
                break;
            case StepKind.Block:
                _output.WriteBlock(step.Block!);
                lock (_gate)
                {
                    Release(step.Block!);
                    WakeWaiters();
                }
                break;
            case StepKind.EndStreaming:
                _output.EndStreaming(step.Entry!);
                break;
            case StepKind.Drop:
                _output.Drop();
                break;
            case StepKind.Complete:
                _output.Complete();
                break;
        }
    }

    private void CompressBlocks(Func<IBlockCompressor> createCompressor)
    {
        using IBlockCompressor compressor = createCompressor();
        while (NextWork() is { } block)
        {
            Compress(block, compressor);
            lock (_gate)
                Compressed(block);
        }
    }

    private EntryBlock? NextWork()
    {
        lock (_workGate)
        {
            while (_work.Count == 0 && !_noMoreWork)
                Monitor.Wait(_workGate);
            return _noMoreWork ? null : _work.Dequeue();
        }
    }

    private void Compress(EntryBlock block, IBlockCompressor compressor)
    {
        if (block.First && _options.Password is not null)
            block.Entry.Keys = NextKeys(_options.Password);
        ReadOnlySpan<byte> compressed = compressor.Compress(block.Input.AsSpan(0, block.Length), block.Last);
        block.Segments = _segments.Copy(compressed);
        block.CompressedBytes = compressed.Length;
        ArrayPool<byte>.Shared.Return(block.Input!);
        block.Input = null;
    }

    private EntryKeys NextKeys(Secret password)
    {
        if (_keys.TryDequeue(out EntryKeys? made))
            return made;
        EntryKeys[] more = EntryKeys.Create(password, _options.Host);
        foreach (EntryKeys keys in more.AsSpan(1))
            _keys.Enqueue(keys);
        return more[0];
    }

    private void Compressed(EntryBlock block)
    {
        OpenEntry entry = block.Entry;
        _inFlight--;
        entry.Uncompressed--;
        entry.Held += block.SegmentBytes - block.Reserved;
        entry.Compressed += block.SegmentBytes;
        _held += block.SegmentBytes - block.Reserved;
        block.IsCompressed = true;
        if (entry.Aborted)
        {
            Release(block);
        }
        else if (entry.Closed && entry.Uncompressed == 0 && entry != _streaming)
        {
            _open.Remove(entry);
            _whole.Enqueue(entry);
        }

        WakeWaiters();
        Monitor.Pulse(_gate);
    }

    private Task Start(Action loop) =>
        Task.Factory.StartNew(loop, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)
            .ContinueWith(
                ended =>
                {
                    if (ended.Exception is not null)
                        Fail(ended.Exception.InnerExceptions[0]);
                },
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);

    /// <param name="Bytes">What the block that waits would be counted as.</param>
    private sealed record Waiter(OpenEntry Entry, long Bytes)
    {
        public TaskCompletionSource Woken { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private readonly record struct Step(StepKind Kind, OpenEntry? Entry = null, EntryBlock? Block = null);
}
