using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Restore;
using Lifeboat.Engine.Sources.Postgres.Sessions;

namespace Lifeboat.Engine.Sources.Postgres.Owners;

/// <summary>One worker's sessions: the restore's own, which reads, and one of the owner whose rows are loaded; opened when they are needed.</summary>
internal sealed class LoadSessions(RestoreTarget target, OwnerSessions? owners) : IAsyncDisposable
{
    private PsqlSession? _own;
    private PsqlSession? _ofOwner;
    private string? _owner;

    public async Task<PsqlSession> OwnAsync(CancellationToken cancellation)
    {
        if (_own is not null)
            return _own;
        _own = await target.OpenStagingAsync(cancellation);
        await TableReadBack.PrepareAsync(_own, cancellation);
        return _own;
    }

    /// <summary>The session in which a table's rows are loaded.</summary>
    public async Task<PsqlSession> OfOwnerAsync(PostgresTable table, CancellationToken cancellation)
    {
        if (owners?.OwnerOf(table.Schema, table.Name) is not { } owner)
            return await OwnAsync(cancellation);
        if (_ofOwner is not null && _owner == owner)
            return _ofOwner;
        if (_ofOwner is not null)
            await _ofOwner.DisposeAsync();
        _ofOwner = null;
        _ofOwner = await owners.OpenAsync(owner, cancellation);
        _owner = owner;
        return _ofOwner;
    }

    /// <summary>Closes both; the next call opens what it needs.</summary>
    public async Task CloseAsync()
    {
        if (_ofOwner is not null)
            await _ofOwner.DisposeAsync();
        if (_own is not null)
            await _own.DisposeAsync();
        (_own, _ofOwner) = (null, null);
    }

    public async ValueTask DisposeAsync() => await CloseAsync();
}
