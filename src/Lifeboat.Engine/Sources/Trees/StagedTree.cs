using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Sources.Local;

namespace Lifeboat.Engine.Sources.Trees;

/// <summary>A tree in its staging folder: built by its manifest, and compared with it.</summary>
/// <param name="source">The source's name.</param>
internal sealed class StagedTree(TreeManifest manifest, FolderStaging place, string source, RunContext run)
{
    public Task BuildAsync(CancellationToken cancellation) => FileFailure.TellAsync(source, () => Task.Run(
        async () =>
        {
            // An older snapshot knows nothing of the folders above: then they are like the tree's own.
            place.Parents = manifest.Details.Parents?.Select(parent => parent.TakenFrom(manifest.Snapshot)).ToArray() ?? [CapturedTraits.Of(manifest.Entries(cancellation).First().Traits)];
            using Folder staging = place.CreateStaging();
            await new TreeStaging(manifest, staging, Rules(staging), new ByteMeter(run.Progress, source, Phase.Stage)).BuildAsync(run.Host.Workers, cancellation);
            staging.FlushFilesystem();
        },
        cancellation));

    public async Task<VerifyReport> CompareAsync(CancellationToken cancellation)
    {
        VerifyReport? report = null;
        await FileFailure.TellAsync(source, () => Task.Run(
            async () =>
            {
                using Folder staging = Folder.Open(place.StagingPath);
                TreeVerification verification = new(manifest, staging, Rules(staging), new ByteMeter(run.Progress, source, Phase.Verify));
                report = await verification.CompareAsync(run.Host.Workers, cancellation);
            },
            cancellation));
        return report!;
    }

    /// <summary>Who is not root owns what he staged, so the staged root tells who that is.</summary>
    private static TraitRules Rules(Folder staging) => TraitRules.For(staging.Status());
}
