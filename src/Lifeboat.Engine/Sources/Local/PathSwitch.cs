using System.Text.Json;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;

namespace Lifeboat.Engine.Sources.Local;

/// <summary>Switches the paths of one source, all by renames.</summary>
/// <param name="lockLive">Keeps other processes from using the live paths while they are renamed; null where nothing can.</param>
internal sealed class PathSwitch(
    RunContext run, string source, PathSwitchRecord record, Func<CancellationToken, Task<IDisposable?>>? lockLive = null) : ISwitch
{
    private PathSwitchRecord _record = record;

    /// <summary>What stays in a folder that is switched; null for files.</summary>
    public StayingRules? Staying { get; init; }

    public JsonElement Record => _record.ToJson();

    public Task ForwardAsync(CancellationToken cancellation) => FileFailure.TellAsync(source, async () =>
    {
        if (Staying is not null)
            await SettleAsync(Staying, cancellation);
        using IDisposable? held = lockLive is null ? null : await lockLive(cancellation);
        await EachAsync(static exchange => exchange.Forward());
    });

    /// <summary>A path lets in whoever has the right to it.</summary>
    public Task OpenAsync(CancellationToken cancellation) => Task.CompletedTask;

    public Task BackAsync(CancellationToken cancellation) => TellEachAsync(static exchange => exchange.Back());

    public Task FinishAsync(CancellationToken cancellation) => TellEachAsync(static exchange => exchange.Finish());

    public Task DropIncomingAsync(CancellationToken cancellation) => TellEachAsync(static exchange => exchange.DropIncoming());

    public async Task<IReadOnlyList<Problem>> CheckOutgoingAsync(CancellationToken cancellation)
    {
        List<Problem> problems = [];
        if (Staying is { } rules)
            await TellEachAsync(exchange =>
            {
                if (new DiscardCheck(rules.Reserved).Look(exchange.OutgoingPath, source) is { } problem)
                    problems.Add(problem);
            });
        return problems;
    }

    public Task DropOutgoingAsync(CancellationToken cancellation) => TellEachAsync(static exchange => exchange.DropOutgoing());

    public async Task<bool> WasUsedAsync(DateTimeOffset since, CancellationToken cancellation)
    {
        bool used = false;
        await TellEachAsync(exchange => used |= exchange.WasUsed(since, cancellation));
        return used;
    }

    public async Task<KeptState?> KeptAsync(CancellationToken cancellation)
    {
        List<KeptState> kept = [];
        await TellEachAsync(exchange =>
        {
            if (exchange.Kept(cancellation) is { } one)
                kept.Add(one);
        });
        return kept.Count == 0 ? null : new KeptState(string.Join(", ", kept.Select(static one => one.Name)), kept.Sum(static one => one.Bytes));
    }

    public async Task<JsonElement> InverseAsync(string id, CancellationToken cancellation)
    {
        List<PathExchange> inverse = [];
        await TellEachAsync(exchange => inverse.Add(exchange.Inverse(id, source)));
        return (_record with { Paths = inverse }).ToJson();
    }

    /// <summary>Looks what stays, and has it in the journal before anything is moved.</summary>
    private async Task SettleAsync(StayingRules rules, CancellationToken cancellation)
    {
        _record = _record with { Paths = await Task.Run(() => _record.Paths.Select(path => rules.Settle(path, cancellation)).ToArray(), cancellation) };
        await rules.Restore.RecordAsync(Record, cancellation);
    }

    private Exchange Exchange(PathExchange path) => path.IsInPlace ? new InPlaceExchange(run, path) : new BesideExchange(run, path, _record.SideSuffixes);

    private Task TellEachAsync(Action<Exchange> work) => FileFailure.TellAsync(source, () => EachAsync(work));

    /// <summary>Renames and deletions are not stopped half-way.</summary>
    private Task EachAsync(Action<Exchange> work) => Task.Run(
        () =>
        {
            foreach (PathExchange path in _record.Paths)
                work(Exchange(path));
        },
        CancellationToken.None);
}
