using System.Text.Json;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Parts;

/// <summary>
/// Switches parts of a database. Each direction is one transaction, at whose end the schema with the incoming state is gone and the one with the outgoing state is
/// there: which of the two there is tells whether it was done, and the way back is the same with both exchanged.
/// </summary>
internal sealed class PartSwitch(PartDatabase database, PartRecord record, Func<JsonElement, CancellationToken, Task> save) : ISwitch
{
    public JsonElement Record => record.ToJson();

    /// <summary>What a merge did.</summary>
    public IReadOnlyList<MergeCount> Merged { get; private set; } = [];

    /// <summary>Puts the record on the disk, before anything is there.</summary>
    public Task NoteAsync(CancellationToken cancellation) => save(Record, cancellation);

    public Task ForwardAsync(CancellationToken cancellation) => MoveAsync(record, isBack: false, cancellation);

    public Task OpenAsync(CancellationToken cancellation) => Task.CompletedTask; // nobody was kept out beyond the transaction

    public Task BackAsync(CancellationToken cancellation) => MoveAsync(record.Inverted(), isBack: true, cancellation);

    public Task FinishAsync(CancellationToken cancellation) => Task.CompletedTask;

    public Task DropIncomingAsync(CancellationToken cancellation) => DropAsync(record.Incoming, cancellation);

    /// <summary>What was restored beside the live tables is the result: it stays.</summary>
    public Task DropOutgoingAsync(CancellationToken cancellation) => record.Way == PartWay.Show ? Task.CompletedTask : DropAsync(record.Outgoing, cancellation);

    public async Task<bool> WasUsedAsync(DateTimeOffset since, CancellationToken cancellation)
    {
        if (record.Way != PartWay.Exchange)
            return false;
        bool used = false;
        await database.RunAsync("look for changes", async (session, token) =>
        {
            PartSchema kept = new(session, record.Outgoing);
            used = await kept.ExistsAsync(token) && await kept.WasUsedAsync(token);
        }, cancellation, trial: true);
        return used;
    }

    public async Task<KeptState?> KeptAsync(CancellationToken cancellation)
    {
        if (record.Way == PartWay.Show)
            return null;
        try
        {
            await using PsqlSession session = await database.OpenAsync(cancellation);
            PartSchema kept = new(session, record.Outgoing);
            return await kept.ExistsAsync(cancellation)
                ? new KeptState($"schema \"{record.Outgoing}\" in database \"{record.Database}\"", await kept.BytesAsync(cancellation))
                : null;
        }
        catch (LifeboatException e) when (e.Code == ErrorCodes.PostgresDatabaseMissing)
        {
            return null;
        }
    }

    public async Task<JsonElement> InverseAsync(string id, CancellationToken cancellation)
    {
        await using PsqlSession session = await database.OpenAsync(cancellation);
        await new PartSchema(session, record.Outgoing).RequireAsync(database.Source, cancellation);
        // What was hidden comes out under its own name again; whatever else is kept is named after who keeps it.
        return (record.Inverted() with { Outgoing = record.Way == PartWay.Hide ? record.Incoming : PartNames.Before(id) }).ToJson();
    }

    private async Task MoveAsync(PartRecord way, bool isBack, CancellationToken cancellation)
    {
        await database.RunAsync(isBack ? "take back the tables" : "switch the tables", async (session, token) =>
        {
            if (isBack ? !await new PartSchema(session, way.Incoming).ExistsAsync(token) : await new PartSchema(session, way.Outgoing).ExistsAsync(token))
                return; // it has happened, or not begun
            await new PartSchema(session, way.Incoming).RequireAsync(database.Source, token);
            switch (way.Way)
            {
                case PartWay.Exchange:
                    await new PartExchange(database, session, way).RunAsync(token);
                    break;
                case PartWay.Add:
                    Merged = await new PartMerge(database, session, way).AddAsync(token);
                    break;
                case PartWay.Remove:
                    await new PartMerge(database, session, way).RemoveAsync(isBack, token);
                    break;
                default:
                    await session.ExecuteAsync($"ALTER SCHEMA {SqlText.Identifier(way.Incoming)} RENAME TO {SqlText.Identifier(way.Outgoing)}", token);
                    break;
            }
        }, cancellation);
    }

    /// <summary>Drops a schema of ours, if it is there; where the database is gone, so is the schema.</summary>
    private async Task DropAsync(string schema, CancellationToken cancellation)
    {
        try
        {
            await database.RunAsync($"drop schema {schema}", async (session, token) =>
            {
                PartSchema there = new(session, schema);
                if (await there.ExistsAsync(token))
                    await there.DropAsync(token);
            }, cancellation);
        }
        catch (LifeboatException e) when (e.Code == ErrorCodes.PostgresDatabaseMissing)
        {
            // Nothing is left to be dropped.
        }
    }
}

/// <summary>The names of the schemas that the restore of parts makes in the live database.</summary>
internal static class PartNames
{
    public static string Staging(string id) => "lifeboat__staging_" + id;

    public static string Before(string id) => "lifeboat__before_" + id;

    /// <summary>Of what was restored for people to look at.</summary>
    public static string Restored(string id) => "restored_" + id;

    /// <summary>Whether a name is one of these.</summary>
    public static bool IsOurs(string name) => new[] { Staging(""), Before(""), Restored("") }.Any(
        form => name.StartsWith(form, StringComparison.Ordinal) && SwitchNames.IsId(name[form.Length..]));
}
