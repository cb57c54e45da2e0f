namespace Lifeboat.Engine.Apps;

/// <summary>Commands of the app file that are run around a backup and around a restore's switch, one after another.</summary>
public sealed record Hooks
{
    /// <summary>Before the first cut is opened; a failure stops the backup.</summary>
    public IReadOnlyList<IReadOnlyList<string>> BeforeBackup { get; init; } = [];

    /// <summary>When the bundle is complete, or the backup has failed.</summary>
    public IReadOnlyList<IReadOnlyList<string>> AfterBackup { get; init; } = [];

    /// <summary>When all is staged and verified, just before the switch; a failure takes the restore back.</summary>
    public IReadOnlyList<IReadOnlyList<string>> BeforeCommit { get; init; } = [];

    /// <summary>When all is switched, just before the commit point; a failure takes the restore back.</summary>
    public IReadOnlyList<IReadOnlyList<string>> AfterCommit { get; init; } = [];

    /// <summary>When a restore was taken back.</summary>
    public IReadOnlyList<IReadOnlyList<string>> AfterRollback { get; init; } = [];
}
