using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Restore.Journal;
using Lifeboat.Engine.Runs;

namespace Lifeboat.Engine.Restore;

/// <summary>Makes an app out of what restores without an app file left, so that they can be looked at, undone and discarded.</summary>
public static class AppFromJournals
{
    /// <param name="folder">Where to look first; then comes the user's own folder for state.</param>
    /// <returns>Null where no such restore left anything.</returns>
    public static App? Find(string folder, RunContext run) => In(folder, run) ?? In(StateFolder.OfUser(run.Host), run);

    private static App? In(string folder, RunContext run)
    {
        IReadOnlyList<RestoreJournal> journals = RestoreJournal.OpenAll(RunLock.StateDirectory(folder), run, onlyRead: true);
        try
        {
            JournalHeader[] headers = [.. journals.Reverse().Select(static journal => journal.Header).Where(static header => header.Sources.All(static source => source.Target is not null))];
            SourceSettings?[] sources =
            [
                .. headers.SelectMany(static header => header.Sources).DistinctBy(static source => source.Name)
                    .Select(source => AppFromSnapshot.Empty(source.Name, source.Type, folder, AppFromSnapshot.DatabasePassword(run.Host.Variables))),
            ];
            return headers.Length == 0 ? null
                : new App { Name = headers[0].App, File = null, Directory = folder, Sources = [.. sources.OfType<SourceSettings>()], Stores = [], Password = null };
        }
        finally
        {
            foreach (RestoreJournal journal in journals)
                journal.Dispose();
        }
    }
}
