using System.Text.Json;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Sources.Local;

namespace Lifeboat.Engine.Sources.Files.Parts;

/// <summary>Switches some paths of a tree, all by renames.</summary>
/// <param name="restore">Where a changed record is put.</param>
internal sealed class PartSwitch(RunContext run, string source, RestoreRun restore) : ISwitch
{
    private PartSwitchRecord? _record;

    public PartSwitch(RunContext run, string source, RestoreRun restore, PartSwitchRecord record)
        : this(run, source, restore) => _record = record;

    public JsonElement Record => (_record ?? throw new InvalidOperationException("nothing was looked at yet")).ToJson();

    private PartExchange Exchange => new(run, source, _record ?? throw new InvalidOperationException("nothing was looked at yet"));

    /// <summary>What is switched, known when what is live was looked at.</summary>
    public void Set(PartSwitchRecord record) => _record = record;

    public async Task ForwardAsync(CancellationToken cancellation)
    {
        // The application may have changed folders since they were looked at; their times are to be as they are now.
        await TellAsync(exchange => Set(exchange.WithTimes()));
        await restore.RecordAsync(Record, cancellation);
        await TellAsync(static exchange => exchange.Forward());
    }

    /// <summary>A path lets in whoever has the right to it.</summary>
    public Task OpenAsync(CancellationToken cancellation) => Task.CompletedTask;

    public Task BackAsync(CancellationToken cancellation) => TellAsync(static exchange => exchange.Back());

    public Task FinishAsync(CancellationToken cancellation) => TellAsync(static exchange => exchange.Finish());

    public Task DropIncomingAsync(CancellationToken cancellation) => TellAsync(static exchange => exchange.DropIncoming());

    public async Task<IReadOnlyList<Problem>> CheckOutgoingAsync(CancellationToken cancellation)
    {
        Problem? problem = null;
        await TellAsync(exchange => problem = new DiscardCheck([]).Look(exchange.OutgoingPath, source));
        return problem is null ? [] : [problem];
    }

    public Task DropOutgoingAsync(CancellationToken cancellation) => TellAsync(static exchange => exchange.DropOutgoing());

    public async Task<bool> WasUsedAsync(DateTimeOffset since, CancellationToken cancellation)
    {
        bool used = false;
        await TellAsync(exchange => used = exchange.ChangedSince(since, cancellation).Any());
        return used;
    }

    public async Task<KeptState?> KeptAsync(CancellationToken cancellation)
    {
        KeptState? kept = null;
        await TellAsync(exchange => kept = exchange.Kept(cancellation));
        return kept;
    }

    public async Task<JsonElement> InverseAsync(string id, CancellationToken cancellation)
    {
        PartSwitchRecord? inverse = null;
        await TellAsync(exchange => inverse = exchange.Inverse(id, cancellation));
        return inverse!.ToJson();
    }

    /// <summary>Renames and deletions are not stopped half-way.</summary>
    private Task TellAsync(Action<PartExchange> work) => FileFailure.TellAsync(source, () => Task.Run(() => work(Exchange), CancellationToken.None));
}
