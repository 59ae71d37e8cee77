"""Lava processes of lavadeploy and their models, a file for each family, in a folder of their own.

`sim.lava_chain.explicit_models` names the model of every process to Lava, which would otherwise
execute each of these modules outside its package to find them.
"""
